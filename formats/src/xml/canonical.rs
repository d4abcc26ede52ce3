//! The canonical form of a document or of one of its elements.
//!
//! Written from the tree in one walk, without recursion. Of document subsets there are those that evidence needs: the whole document,
//! or one element with everything in it, less some of its elements.

use super::XML_NAMESPACE;
use super::tree::{Attribute, Document, NodeId, NodeKind, Range, Span};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::XML_CANONICAL_BYTES_MAX;

/// A method of canonicalization.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Canonicalization {
    /// Which specification.
    pub kind: CanonicalizationKind,
    /// Whether comments are kept.
    pub with_comments: bool,
    /// `PrefixList` of Exclusive XML Canonicalization §2.1: these prefixes are treated as in Canonical XML. The default namespace is
    /// the empty prefix.
    pub inclusive_prefixes: Vec<String>,
}

/// A specification of a canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CanonicalizationKind {
    /// Canonical XML 1.0 (RFC 3076).
    Inclusive10,
    /// Canonical XML 1.1.
    Inclusive11,
    /// Exclusive XML Canonicalization 1.0 (RFC 3741).
    Exclusive10,
}

/// The identifiers (XML Signature §6.5, RFC 9231 §2.4), each without comments and with.
const URIS: [(CanonicalizationKind, &str, &str); 3] = [
    (
        CanonicalizationKind::Inclusive10,
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
    ),
    (
        CanonicalizationKind::Inclusive11,
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/2006/12/xml-c14n11#WithComments",
    ),
    (
        CanonicalizationKind::Exclusive10,
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    ),
];

impl Canonicalization {
    /// A method without a list of prefixes.
    #[must_use]
    pub const fn new(kind: CanonicalizationKind, with_comments: bool) -> Self {
        Self {
            kind,
            with_comments,
            inclusive_prefixes: Vec::new(),
        }
    }

    /// The method that an identifier names.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        URIS.iter().find_map(|(kind, without, with)| {
            (uri == *without || uri == *with).then(|| Self::new(*kind, uri == *with))
        })
    }

    /// Its identifier.
    #[must_use]
    pub fn uri(&self) -> &'static str {
        let found = URIS.iter().find(|(kind, _, _)| *kind == self.kind);
        found.map_or(
            "",
            |(_, without, with)| {
                if self.with_comments { with } else { without }
            },
        )
    }
}

impl Document {
    /// The canonical form of the whole document, given to `out` in parts.
    ///
    /// # Errors
    ///
    /// [`InvalidXml`](ErrorKind::InvalidXml) if a namespace name is relative, which has no canonical form.
    /// [`LimitExceeded`](ErrorKind::LimitExceeded) if it is longer than [`XML_CANONICAL_BYTES_MAX`].
    pub fn canonicalize(
        &self,
        method: &Canonicalization,
        out: &mut dyn FnMut(&[u8]),
    ) -> Result<()> {
        let mut writer = Writer::new(self, method, out);
        writer.write(0, self.nodes.len(), &[])
    }

    /// The canonical form of one element as it stands in the document, with everything in it but the nodes `without`.
    ///
    /// # Errors
    ///
    /// As of [`canonicalize`](Self::canonicalize). [`UnsupportedXml`](ErrorKind::UnsupportedXml) if the element inherits `xml:base`
    /// under Canonical XML 1.1, whose joining of addresses is not done here.
    pub fn canonicalize_element(
        &self,
        element: NodeId,
        without: &[NodeId],
        method: &Canonicalization,
        out: &mut dyn FnMut(&[u8]),
    ) -> Result<()> {
        let end = self.nodes.get(element.0).map_or(0, |node| node.end);
        let mut without = without.to_vec();
        without.sort_unstable_by_key(|id| id.0);
        let mut writer = Writer::new(self, method, out);
        writer.apex = Some(element);
        writer.write(element.0, end, &without)
    }
}

struct Writer<'d, 'o> {
    document: &'d Document,
    method: &'d Canonicalization,
    out: &'o mut dyn FnMut(&[u8]),
    /// The element that a subset begins with: it inherits from what is left out.
    apex: Option<NodeId>,
    /// The elements that are open.
    open: Vec<Open>,
    /// The namespaces that are written and in force, the innermost last.
    rendered: Vec<(&'d str, &'d str)>,
    root_written: bool,
    /// Bytes given out so far.
    written: usize,
}

struct Open {
    end: usize,
    prefix: Span,
    local: Span,
    rendered: usize,
}

impl<'d, 'o> Writer<'d, 'o> {
    fn new(
        document: &'d Document,
        method: &'d Canonicalization,
        out: &'o mut dyn FnMut(&[u8]),
    ) -> Self {
        Self {
            document,
            method,
            out,
            apex: None,
            open: Vec::new(),
            rendered: Vec::new(),
            root_written: false,
            written: 0,
        }
    }

    /// `without` in the order of the document.
    fn write(&mut self, start: usize, end: usize, mut without: &[NodeId]) -> Result<()> {
        let document = self.document;
        let mut next = start;
        while next < end {
            self.close_until(next);
            if self.written > XML_CANONICAL_BYTES_MAX {
                return Err(FormatError::new(ErrorKind::LimitExceeded, "canonical XML"));
            }
            let Some(node) = document.nodes.get(next) else {
                break;
            };
            let here = NodeId(next);
            while without.first().is_some_and(|left_out| left_out.0 < next) {
                without = without.get(1..).unwrap_or_default();
            }
            if without.first() == Some(&here) {
                next = node.end;
                continue;
            }
            match node.kind {
                NodeKind::Element {
                    name,
                    attributes,
                    bindings,
                } => {
                    self.put("<");
                    self.put_name(name.prefix, name.local);
                    let rendered = self.rendered.len();
                    self.put_namespaces(here, bindings, attributes)?;
                    self.put_attributes(here, attributes)?;
                    self.put(">");
                    self.open.push(Open {
                        end: node.end,
                        prefix: name.prefix,
                        local: name.local,
                        rendered,
                    });
                }
                NodeKind::Text(span) => self.put_text(document.str(span)),
                NodeKind::Comment(span) if self.method.with_comments => {
                    self.put_outside(&["<!--", document.str(span), "-->"]);
                }
                NodeKind::Comment(_) => {}
                NodeKind::Instruction { target, content } => {
                    let (target, content) = (document.str(target), document.str(content));
                    let space = if content.is_empty() { "" } else { " " };
                    self.put_outside(&["<?", target, space, content, "?>"]);
                }
            }
            next = next.saturating_add(1);
        }
        self.close_until(usize::MAX);
        Ok(())
    }

    fn close_until(&mut self, next: usize) {
        while let Some(open) = self.open.pop_if(|open| open.end <= next) {
            self.put("</");
            self.put_name(open.prefix, open.local);
            self.put(">");
            self.rendered.truncate(open.rendered);
            self.root_written = true;
        }
    }

    /// A comment or instruction; outside of the root a line feed parts it from the root (Canonical XML 1.0 §2.3).
    fn put_outside(&mut self, parts: &[&str]) {
        let is_outside = self.open.is_empty() && self.apex.is_none();
        if is_outside && self.root_written {
            self.put("\n");
        }
        for part in parts {
            self.put(part);
        }
        if is_outside && !self.root_written {
            self.put("\n");
        }
    }

    /// The namespace axis: what the element needs and what no element around it has written already.
    fn put_namespaces(&mut self, here: NodeId, bindings: Range, attributes: Range) -> Result<()> {
        let document = self.document;
        let own = document.bindings_in(bindings).iter().map(|binding| {
            (
                document.str(binding.prefix),
                document.str(binding.namespace),
            )
        });
        let mut needed: Vec<(&'d str, &'d str)> = if self.apex == Some(here) {
            self.in_scope(here)
        } else {
            own.collect()
        };
        if self.method.kind == CanonicalizationKind::Exclusive10 {
            let listed = &self.method.inclusive_prefixes;
            needed.retain(|(prefix, _)| listed.iter().any(|listed| listed == prefix));
            needed.extend(self.visibly_used(here, attributes));
        }
        needed.sort_unstable();
        needed.dedup();
        for (prefix, namespace) in needed {
            let mut inwards = self.rendered.iter().rev();
            let known = inwards.find(|(other, _)| *other == prefix);
            if known.map_or("", |(_, namespace)| *namespace) == namespace {
                continue;
            }
            if !namespace.is_empty() && !is_absolute(namespace) {
                return Err(FormatError::new(ErrorKind::InvalidXml, "XML namespace"));
            }
            self.rendered.push((prefix, namespace));
            self.put(if prefix.is_empty() {
                " xmlns"
            } else {
                " xmlns:"
            });
            self.put(prefix);
            self.put("=\"");
            self.put_value(namespace);
            self.put("\"");
        }
        Ok(())
    }

    /// Every namespace that holds at an element, whoever declares it.
    fn in_scope(&self, element: NodeId) -> Vec<(&'d str, &'d str)> {
        let document = self.document;
        let mut found: Vec<(&str, &str)> = Vec::new();
        let mut outwards = Some(element);
        while let Some(node) = outwards.and_then(|id| document.nodes.get(id.0)) {
            if let NodeKind::Element { bindings, .. } = node.kind {
                for binding in document.bindings_in(bindings) {
                    let prefix = document.str(binding.prefix);
                    if !found.iter().any(|(known, _)| *known == prefix) {
                        found.push((prefix, document.str(binding.namespace)));
                    }
                }
            }
            outwards = node.parent;
        }
        found
    }

    /// The namespaces of the names that the start tag is written with (Exclusive XML Canonicalization §2.1).
    fn visibly_used(&self, element: NodeId, attributes: Range) -> Vec<(&'d str, &'d str)> {
        let document = self.document;
        let mut used = Vec::new();
        if let Some(node) = document.nodes.get(element.0)
            && let NodeKind::Element { name, .. } = node.kind
        {
            used.push((document.str(name.prefix), document.str(name.namespace)));
        }
        for attribute in document.attributes_in(attributes) {
            let prefix = document.str(attribute.name.prefix);
            if !prefix.is_empty() {
                used.push((prefix, document.str(attribute.name.namespace)));
            }
        }
        used.retain(|(prefix, _)| *prefix != "xml");
        used
    }

    /// By namespace name, then by local name; those without a namespace come first.
    fn put_attributes(&mut self, here: NodeId, attributes: Range) -> Result<()> {
        let document = self.document;
        let mut sorted: Vec<&Attribute> = document.attributes_in(attributes).iter().collect();
        if self.apex == Some(here) {
            self.inherit(here, &mut sorted)?;
        }
        sorted.sort_by_key(|attribute| {
            (
                document.str(attribute.name.namespace),
                document.str(attribute.name.local),
            )
        });
        for attribute in sorted {
            self.put(" ");
            self.put_name(attribute.name.prefix, attribute.name.local);
            self.put("=\"");
            self.put_value(document.str(attribute.value));
            self.put("\"");
        }
        Ok(())
    }

    /// What an element has from those around it that are left out: every attribute `xml:*` in Canonical XML 1.0 (§2.4), only language
    /// and white space in 1.1 (§2.4), nothing in the exclusive form.
    fn inherit(&self, apex: NodeId, attributes: &mut Vec<&'d Attribute>) -> Result<()> {
        let document = self.document;
        let inherits = |local: &str| match self.method.kind {
            CanonicalizationKind::Inclusive10 => true,
            CanonicalizationKind::Inclusive11 => matches!(local, "lang" | "space"),
            CanonicalizationKind::Exclusive10 => false,
        };
        let mut outwards = document.nodes.get(apex.0).and_then(|node| node.parent);
        while let Some(node) = outwards.and_then(|id| document.nodes.get(id.0)) {
            outwards = node.parent;
            let NodeKind::Element {
                attributes: outer, ..
            } = node.kind
            else {
                continue;
            };
            for attribute in document.attributes_in(outer) {
                let local = document.str(attribute.name.local);
                let is_xml = |name: &Attribute| document.str(name.name.namespace) == XML_NAMESPACE;
                if !is_xml(attribute) {
                    continue;
                }
                if self.method.kind == CanonicalizationKind::Inclusive11 && local == "base" {
                    return Err(FormatError::new(ErrorKind::UnsupportedXml, "xml:base"));
                }
                let is_known = attributes
                    .iter()
                    .any(|known| is_xml(known) && document.str(known.name.local) == local);
                if inherits(local) && !is_known {
                    attributes.push(attribute);
                }
            }
        }
        Ok(())
    }

    fn put_name(&mut self, prefix: Span, local: Span) {
        let document = self.document;
        let prefix = document.str(prefix);
        if !prefix.is_empty() {
            self.put(prefix);
            self.put(":");
        }
        self.put(document.str(local));
    }

    fn put_text(&mut self, text: &str) {
        self.put_escaped(text, |character| match character {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '\r' => Some("&#xD;"),
            _ => None,
        });
    }

    fn put_value(&mut self, text: &str) {
        self.put_escaped(text, |character| match character {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '"' => Some("&quot;"),
            '\t' => Some("&#x9;"),
            '\n' => Some("&#xA;"),
            '\r' => Some("&#xD;"),
            _ => None,
        });
    }

    fn put_escaped(&mut self, text: &str, escape: fn(char) -> Option<&'static str>) {
        let mut rest = text;
        while let Some(at) = rest.find(|character| escape(character).is_some()) {
            let (plain, tail) = rest.split_at(at);
            self.put(plain);
            let mut characters = tail.chars();
            if let Some(escaped) = characters.next().and_then(escape) {
                self.put(escaped);
            }
            rest = characters.as_str();
        }
        self.put(rest);
    }

    fn put(&mut self, text: &str) {
        if !text.is_empty() {
            self.written = self.written.saturating_add(text.len());
            (self.out)(text.as_bytes());
        }
    }
}

/// Whether a namespace name begins with a scheme (RFC 3986 §3.1). A relative one has no canonical form (Canonical XML 1.0 §1.3).
fn is_absolute(namespace: &str) -> bool {
    namespace.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}
