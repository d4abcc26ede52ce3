//! From bytes to the tree.

use std::collections::HashSet;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesDecl, BytesPI, BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::characters::{are_attributes_parted, is_character, is_name, is_space};
use super::tree::{Attribute, Binding, Document, Name, Node, NodeId, NodeKind, Range, Span};
use super::{BYTE_ORDER_MARK, XML_NAMESPACE};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{
    XML_DOCUMENT_ATTRIBUTES_MAX, XML_DOCUMENT_BYTES_MAX, XML_DOCUMENT_DEPTH_MAX,
    XML_NAMESPACES_MAX, XML_NODES_MAX,
};

const XML: &str = "XML";
const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// Reads a whole document.
pub(super) fn read(bytes: &[u8]) -> Result<Document> {
    let refused = |kind| FormatError::new(kind, XML);
    if bytes.len() > XML_DOCUMENT_BYTES_MAX {
        return Err(refused(ErrorKind::LimitExceeded));
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let text = str::from_utf8(bytes)
        .map_err(|error| refused(ErrorKind::UnsupportedXml).at(error.valid_up_to()))?;
    if let Some((offset, _)) = text.char_indices().find(|(_, c)| !is_character(*c)) {
        return Err(refused(ErrorKind::InvalidXml).at(offset));
    }
    let mut tree = Tree::new();
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    loop {
        tree.offset = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let event = reader.read_event().map_err(|_| tree.invalid())?;
        if !tree.add(event)? {
            return tree.finish();
        }
    }
}

/// The tree in the making.
struct Tree {
    document: Document,
    /// The elements that are open.
    open: Vec<Open>,
    /// The namespaces in scope, the innermost last.
    scope: Vec<Binding>,
    has_root: bool,
    /// Where the text node that is open may be continued.
    text: Option<NodeId>,
    offset: usize,
}

struct Open {
    id: NodeId,
    /// How many namespaces were in scope outside of it.
    scope: usize,
}

impl Tree {
    fn new() -> Self {
        Self {
            document: Document {
                nodes: Vec::new(),
                attributes: Vec::new(),
                bindings: Vec::new(),
                text: String::new(),
            },
            open: Vec::new(),
            scope: Vec::new(),
            has_root: false,
            text: None,
            offset: 0,
        }
    }

    /// Adds what was read; `false` at the end.
    fn add(&mut self, event: Event<'_>) -> Result<bool> {
        match event {
            Event::Start(start) => self.start(&start)?,
            Event::End(_) => self.end()?,
            Event::Text(text) => {
                if text.contains("]]>") {
                    return Err(self.invalid());
                }
                self.add_text(&text.xml_content(XmlVersion::Explicit1_0))?;
            }
            Event::CData(text) => {
                if self.open.is_empty() {
                    return Err(self.invalid());
                }
                self.add_text(&text.xml_content(XmlVersion::Explicit1_0))?;
            }
            Event::GeneralRef(reference) => self.reference(&reference)?,
            Event::Comment(comment) => {
                let text = comment.xml_content(XmlVersion::Explicit1_0);
                if text.contains("--") || text.ends_with('-') {
                    return Err(self.invalid());
                }
                let span = self.keep(&text)?;
                self.push(NodeKind::Comment(span))?;
            }
            Event::PI(instruction) => self.instruction(&instruction)?,
            Event::Decl(declaration) => self.declaration(&declaration)?,
            Event::DocType(_) => return Err(self.error(ErrorKind::UnsupportedXml)),
            Event::Empty(_) => return Err(self.invalid()),
            Event::Eof => return Ok(false),
        }
        Ok(true)
    }

    fn finish(self) -> Result<Document> {
        if !self.open.is_empty() || !self.has_root {
            return Err(self.invalid());
        }
        Ok(self.document)
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<()> {
        if self.open.is_empty() && self.has_root {
            return Err(self.invalid());
        }
        if self.open.len() >= XML_DOCUMENT_DEPTH_MAX {
            return Err(self.error(ErrorKind::LimitExceeded));
        }
        if !are_attributes_parted(start.attributes_raw()) {
            return Err(self.invalid());
        }
        self.has_root = true;
        let outside = self.scope.len();
        let mut read = Vec::new();
        let first_binding = self.document.bindings.len();
        // Duplicates are looked for below, without the quadratic time that the reader takes.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| self.invalid())?;
            if read.len() >= XML_DOCUMENT_ATTRIBUTES_MAX {
                return Err(self.error(ErrorKind::LimitExceeded));
            }
            if attribute.value.contains('<') {
                return Err(self.invalid());
            }
            let value = attribute
                .normalized_value(XmlVersion::Explicit1_0)
                .map_err(|_| self.invalid())?;
            if !value.chars().all(is_character) {
                return Err(self.invalid());
            }
            match attribute.key.as_ref().split_once(':') {
                None if attribute.key.as_ref() == "xmlns" => self.bind("", &value, outside)?,
                // Without a prefix behind the colon it is no name, which is told below.
                Some(("xmlns", prefix)) if !prefix.is_empty() => {
                    self.bind(prefix, &value, outside)?;
                }
                _ => read.push((attribute.key, self.keep(&value)?)),
            }
        }
        let bindings = Range {
            start: first_binding,
            end: self.document.bindings.len(),
        };
        let first_attribute = self.document.attributes.len();
        for (key, value) in read {
            let name = self.name(key.as_ref(), false)?;
            self.document.attributes.push(Attribute { name, value });
        }
        let attributes = Range {
            start: first_attribute,
            end: self.document.attributes.len(),
        };
        self.refuse_duplicates(attributes)?;
        let name = self.name(start.name().as_ref(), true)?;
        let id = self.push(NodeKind::Element {
            name,
            attributes,
            bindings,
        })?;
        self.open.push(Open { id, scope: outside });
        Ok(())
    }

    /// A namespace declaration (Namespaces in XML 1.0 §3, and its constraints on `xml` and `xmlns`).
    fn bind(&mut self, prefix: &str, namespace: &str, outside: usize) -> Result<()> {
        let is_xml = prefix == "xml";
        if is_xml != (namespace == XML_NAMESPACE)
            || prefix == "xmlns"
            || namespace == XMLNS_NAMESPACE
            || (!prefix.is_empty() && (namespace.is_empty() || !is_name(prefix)))
        {
            return Err(self.invalid());
        }
        if is_xml {
            // It says what holds without it, and is not written in a canonical form (Canonical XML 1.0 §2.3).
            return Ok(());
        }
        if self.scope.len() >= XML_NAMESPACES_MAX {
            return Err(self.error(ErrorKind::LimitExceeded));
        }
        let here = self.scope.get(outside..).unwrap_or_default();
        if here
            .iter()
            .any(|other| self.document.str(other.prefix) == prefix)
        {
            return Err(self.invalid());
        }
        let binding = Binding {
            prefix: self.keep(prefix)?,
            namespace: self.keep(namespace)?,
        };
        self.scope.push(binding);
        self.document.bindings.push(binding);
        self.check_size()
    }

    fn name(&mut self, qualified: &str, is_element: bool) -> Result<Name> {
        let (prefix, local) = qualified.split_once(':').unwrap_or(("", qualified));
        let has_colon = qualified.contains(':');
        if !is_name(local) || (has_colon && !is_name(prefix)) {
            return Err(self.invalid());
        }
        let namespace = if prefix == "xml" {
            self.keep(XML_NAMESPACE)?
        } else if prefix.is_empty() && !is_element {
            Span::default()
        } else {
            let document = &self.document;
            let mut inwards = self.scope.iter().rev();
            let found = inwards.find(|binding| document.str(binding.prefix) == prefix);
            match found {
                Some(binding) => binding.namespace,
                None if prefix.is_empty() => Span::default(),
                None => return Err(self.invalid()),
            }
        };
        Ok(Name {
            prefix: self.keep(prefix)?,
            local: self.keep(local)?,
            namespace,
        })
    }

    /// No two attributes have the same expanded name (Namespaces in XML 1.0 §6.3).
    fn refuse_duplicates(&self, attributes: Range) -> Result<()> {
        let document = &self.document;
        let mut seen = HashSet::new();
        let unique = document.attributes_in(attributes).iter().all(|attribute| {
            let name = &attribute.name;
            seen.insert((document.str(name.namespace), document.str(name.local)))
        });
        if unique { Ok(()) } else { Err(self.invalid()) }
    }

    fn end(&mut self) -> Result<()> {
        let open = self.open.pop().ok_or(self.invalid())?;
        self.scope.truncate(open.scope);
        let end = self.document.nodes.len();
        if let Some(node) = self.document.nodes.get_mut(open.id.0) {
            node.end = end;
        }
        self.text = None;
        Ok(())
    }

    /// Text, character data and references that follow one another are one node.
    fn add_text(&mut self, text: &str) -> Result<()> {
        if self.open.is_empty() {
            if text.chars().all(is_space) {
                return Ok(());
            }
            return Err(self.invalid());
        }
        if text.is_empty() {
            return Ok(());
        }
        let added = self.keep(text)?;
        if let Some(node) = self.text.and_then(|id| self.document.nodes.get_mut(id.0))
            && let NodeKind::Text(span) = &mut node.kind
        {
            span.length = span.length.saturating_add(added.length);
            return Ok(());
        }
        self.text = Some(self.push(NodeKind::Text(added))?);
        Ok(())
    }

    /// `&#10;` or `&amp;`: nothing else is defined without a document type.
    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<()> {
        if self.open.is_empty() {
            return Err(self.invalid());
        }
        match reference.resolve_char_ref() {
            Ok(Some(character)) if is_character(character) => {
                self.add_text(character.encode_utf8(&mut [0; 4]))
            }
            Ok(None) => {
                let text = resolve_predefined_entity(reference).ok_or(self.invalid())?;
                self.add_text(text)
            }
            Ok(Some(_)) | Err(_) => Err(self.invalid()),
        }
    }

    fn instruction(&mut self, instruction: &BytesPI<'_>) -> Result<()> {
        let target = instruction.target();
        if !is_name(target) || target.eq_ignore_ascii_case("xml") {
            return Err(self.invalid());
        }
        let content = instruction.content();
        if content.contains("?>") {
            return Err(self.invalid());
        }
        let content = quick_xml::events::BytesText::from_escaped(content);
        let content = content.xml_content(XmlVersion::Explicit1_0);
        let target = self.keep(target)?;
        let content = self.keep(content.trim_start_matches(is_space))?;
        self.push(NodeKind::Instruction { target, content })?;
        Ok(())
    }

    /// Only what has been read: XML 1.0 in UTF-8 (§2.8, §4.3.3).
    fn declaration(&self, declaration: &BytesDecl<'_>) -> Result<()> {
        if self.offset != 0 {
            return Err(self.invalid());
        }
        let version = declaration.version().map_err(|_| self.invalid())?;
        let is_read = match declaration.encoding() {
            None => true,
            Some(Ok(name)) => {
                name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("us-ascii")
            }
            Some(Err(_)) => return Err(self.invalid()),
        };
        if is_read && version == "1.0" {
            Ok(())
        } else {
            Err(self.error(ErrorKind::UnsupportedXml))
        }
    }

    fn push(&mut self, kind: NodeKind) -> Result<NodeId> {
        let id = NodeId(self.document.nodes.len());
        let parent = self.open.last().map(|open| open.id);
        let end = id.0.saturating_add(1);
        self.document.nodes.push(Node { kind, parent, end });
        self.text = None;
        self.check_size()?;
        Ok(id)
    }

    fn check_size(&self) -> Result<()> {
        let document = &self.document;
        let count = document
            .nodes
            .len()
            .saturating_add(document.attributes.len())
            .saturating_add(document.bindings.len());
        if count > XML_NODES_MAX {
            return Err(self.error(ErrorKind::LimitExceeded));
        }
        Ok(())
    }

    fn keep(&mut self, text: &str) -> Result<Span> {
        if text.is_empty() {
            return Ok(Span::default());
        }
        let too_much = self.error(ErrorKind::LimitExceeded);
        let start = u32::try_from(self.document.text.len()).map_err(|_| too_much)?;
        let length = u32::try_from(text.len()).map_err(|_| too_much)?;
        self.document.text.push_str(text);
        Ok(Span { start, length })
    }

    const fn error(&self, kind: ErrorKind) -> FormatError {
        FormatError::new(kind, XML).at(self.offset)
    }

    const fn invalid(&self) -> FormatError {
        self.error(ErrorKind::InvalidXml)
    }
}
