//! The tree of a document: nodes in document order, text in one buffer.

use std::fmt;

use crate::error::Result;

/// A well-formed XML document without a document type.
///
/// Its nodes stand in document order, each with the place behind its last descendant, so that everything walks them without recursion.
#[derive(Clone)]
pub struct Document {
    pub(super) nodes: Vec<Node>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) bindings: Vec<Binding>,
    /// Names, values and text, after references and line ends were resolved.
    pub(super) text: String,
}

/// The place of a node in its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) usize);

/// Part of [`Document::text`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) length: u32,
}

/// Part of [`Document::attributes`] or [`Document::bindings`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) parent: Option<NodeId>,
    /// Behind the last descendant.
    pub(super) end: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum NodeKind {
    Element {
        name: Name,
        attributes: Range,
        /// The namespaces that its own start tag declares.
        bindings: Range,
    },
    Text(Span),
    Comment(Span),
    Instruction {
        target: Span,
        content: Span,
    },
}

/// An expanded name with the prefix that it was written with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    pub(super) prefix: Span,
    pub(super) local: Span,
    pub(super) namespace: Span,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute {
    pub(super) name: Name,
    pub(super) value: Span,
}

/// A namespace declaration. An empty prefix means the default namespace, an empty name that there is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Binding {
    pub(super) prefix: Span,
    pub(super) namespace: Span,
}

/// An element of a document.
#[derive(Clone, Copy)]
pub struct Element<'d> {
    document: &'d Document,
    id: NodeId,
}

/// What stands inside an element. Comments and processing instructions are left out.
#[derive(Debug, Clone, Copy)]
pub enum Content<'d> {
    /// An element.
    Element(Element<'d>),
    /// Characters between tags, comments and references.
    Text(&'d str),
}

impl Document {
    /// How many nodes there are.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Reads a document in UTF-8, with or without a byte order mark.
    ///
    /// # Errors
    ///
    /// [`InvalidXml`](crate::error::ErrorKind::InvalidXml) if it is not well-formed or its namespaces are not;
    /// [`UnsupportedXml`](crate::error::ErrorKind::UnsupportedXml) if it may be well-formed but has a document type, another version than
    /// 1.0 or another encoding; [`LimitExceeded`](crate::error::ErrorKind::LimitExceeded) if it is larger or deeper than
    /// [`crate::limits`] allows.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        super::reader::read(bytes)
    }

    /// The element that everything else stands in.
    #[must_use]
    pub fn root(&self) -> Option<Element<'_>> {
        let is_element = |node: &Node| matches!(node.kind, NodeKind::Element { .. });
        let root = self.nodes.iter().position(is_element)?;
        Some(Element {
            document: self,
            id: NodeId(root),
        })
    }

    /// An element by its place.
    #[must_use]
    pub fn element(&self, id: NodeId) -> Option<Element<'_>> {
        let node = self.nodes.get(id.0)?;
        matches!(node.kind, NodeKind::Element { .. }).then_some(Element { document: self, id })
    }

    pub(super) fn str(&self, span: Span) -> &str {
        let place = || {
            let start = usize::try_from(span.start).ok()?;
            let end = start.checked_add(usize::try_from(span.length).ok()?)?;
            self.text.get(start..end)
        };
        // Every span was made when its text was appended.
        place().unwrap_or_default()
    }

    pub(super) fn attributes_in(&self, range: Range) -> &[Attribute] {
        self.attributes
            .get(range.start..range.end)
            .unwrap_or_default()
    }

    pub(super) fn bindings_in(&self, range: Range) -> &[Binding] {
        self.bindings
            .get(range.start..range.end)
            .unwrap_or_default()
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("nodes", &self.nodes.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.name())
    }
}

impl<'d> Element<'d> {
    /// Its place in the document.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.id
    }

    /// Its local name.
    #[must_use]
    pub fn name(&self) -> &'d str {
        self.parts()
            .map_or("", |(name, _)| self.document.str(name.local))
    }

    /// The name of its namespace; empty if it has none.
    #[must_use]
    pub fn namespace(&self) -> &'d str {
        self.parts()
            .map_or("", |(name, _)| self.document.str(name.namespace))
    }

    /// The value of an attribute without a namespace.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'d str> {
        let (_, attributes) = self.parts()?;
        let document = self.document;
        let found = document
            .attributes_in(attributes)
            .iter()
            .find(|attribute| {
                document.str(attribute.name.namespace).is_empty()
                    && document.str(attribute.name.local) == name
            })?;
        Some(document.str(found.value))
    }

    /// Its elements and text.
    pub fn contents(&self) -> impl Iterator<Item = Content<'d>> + use<'d> {
        let document = self.document;
        let end = document.nodes.get(self.id.0).map_or(0, |node| node.end);
        let mut next = self.id.0.saturating_add(1);
        std::iter::from_fn(move || {
            while next < end {
                let here = next;
                let node = document.nodes.get(here)?;
                next = node.end;
                match node.kind {
                    NodeKind::Element { .. } => {
                        return Some(Content::Element(Element {
                            document,
                            id: NodeId(here),
                        }));
                    }
                    NodeKind::Text(span) => return Some(Content::Text(document.str(span))),
                    NodeKind::Comment(_) | NodeKind::Instruction { .. } => {}
                }
            }
            None
        })
    }

    /// Its elements.
    pub fn elements(&self) -> impl Iterator<Item = Element<'d>> + use<'d> {
        self.contents().filter_map(|content| match content {
            Content::Element(element) => Some(element),
            Content::Text(_) => None,
        })
    }

    fn parts(&self) -> Option<(Name, Range)> {
        match self.document.nodes.get(self.id.0)?.kind {
            NodeKind::Element {
                name, attributes, ..
            } => Some((name, attributes)),
            NodeKind::Text(_) | NodeKind::Comment(_) | NodeKind::Instruction { .. } => None,
        }
    }
}
