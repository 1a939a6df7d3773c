//! A page as an HTML parser for browsers reads it.

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

pub(crate) struct Document {
    root: Element,
    pub(crate) errors: Vec<String>,
    // Nodes are released with the tree.
    _tree: RcDom,
}

#[derive(Clone)]
pub(crate) struct Element(Handle);

impl Document {
    pub(crate) fn parse(page: &str) -> Self {
        let tree = parse_document(RcDom::default(), ParseOpts::default()).one(page);
        let errors = tree.errors.borrow().iter().map(ToString::to_string).collect();
        Self { root: Element(tree.document.clone()), errors, _tree: tree }
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = Element> {
        self.root.all(name)
    }

    pub(crate) fn elements(&self) -> Vec<Element> {
        self.root.elements()
    }
}

impl Element {
    pub(crate) fn name(&self) -> &str {
        match &self.0.data {
            NodeData::Element { name, .. } => &name.local,
            _ => "",
        }
    }

    pub(crate) fn attributes(&self) -> Vec<(String, String)> {
        let NodeData::Element { attrs, .. } = &self.0.data else { return Vec::new() };
        attrs.borrow().iter().map(|one| (one.name.local.to_string(), one.value.to_string())).collect()
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        self.attributes().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.attribute("class").is_some_and(|classes| classes.split(' ').any(|one| one == class))
    }

    /// Every element in this one, itself included.
    pub(crate) fn elements(&self) -> Vec<Self> {
        let mut found = Vec::new();
        let mut open = vec![self.0.clone()];
        while let Some(node) = open.pop() {
            open.extend(node.children.borrow().iter().rev().cloned());
            if matches!(node.data, NodeData::Element { .. }) {
                found.push(Self(node));
            }
        }
        found
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = Self> {
        self.elements().into_iter().filter(move |element| element.name() == name)
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut open = vec![self.0.clone()];
        while let Some(node) = open.pop() {
            open.extend(node.children.borrow().iter().rev().cloned());
            if let NodeData::Text { contents } = &node.data {
                text.push_str(&contents.borrow());
            }
        }
        text
    }
}
