//! Mappings of attributes to nodes, and what is wrong with them, by file and line.

use std::collections::HashMap;

use crate::config::toml_file::ConfigError;
use crate::program::columns::View;
use crate::program::escape::Escape;
use crate::program::fallback::Fallback;
use crate::program::graph::{Node, NodeId};
use crate::program::lower::{Level, Lowering, Names, TemplateProblem, parse};
use crate::program::names::CatalogNames;

use super::Compiler;

impl Compiler<'_, '_> {
    pub(super) fn manifest_error(&mut self, attribute: &str, message: String, hint: &str) {
        let line = line_of(&self.channel.manifest_text, attribute);
        self.errors.push(ConfigError {
            path: self.channel.manifest_path.clone(),
            line,
            message: format!("attribute `{attribute}`: {message}"),
            hint: hint.to_owned(),
        });
    }

    /// A list by its column's name, or by an expression.
    pub(super) fn list(&mut self, view: &View, source: &str, attribute: &str) -> NodeId {
        if source.contains("{{") {
            let path = self.channel.manifest_path.clone();
            return self.mapping(
                view,
                source,
                None,
                &[Level::Item],
                &format!("the list of attribute `{attribute}`"),
                &path,
            );
        }
        let mut names = CatalogNames {
            columns: self.columns,
            view,
            constants: self.constants,
            mapped: None,
        };
        match names.resolve(self.graph, Level::Item, &[source.to_owned()]) {
            Ok(node) => node,
            Err((message, hint)) => {
                self.manifest_error(attribute, message, &hint);
                self.graph.add(Node::Absent)
            }
        }
    }

    pub(super) fn mapping(
        &mut self,
        view: &View,
        source: &str,
        mapped: Option<NodeId>,
        levels: &[Level],
        what: &str,
        path: &str,
    ) -> NodeId {
        let template = match parse(source) {
            Ok(template) => template,
            Err(problem) => {
                self.template_error(path, what, source, problem);
                return self.graph.add(Node::Absent);
            }
        };
        let partials = HashMap::new();
        let (node, problems) = {
            let mut taken: Vec<Fallback> = std::mem::take(self.columns.fallbacks);
            let mut names = CatalogNames {
                columns: self.columns,
                view,
                constants: self.constants,
                mapped,
            };
            let mut lowering = Lowering::new(
                self.graph,
                &mut taken,
                &mut names,
                &partials,
                Escape::None,
                view.number,
                levels,
            );
            let node = lowering.text(&template);
            let problems = std::mem::take(&mut lowering.problems);
            // Mappings of sources compiled meanwhile may have added pieces of their own.
            let mut added = std::mem::replace(self.columns.fallbacks, taken);
            debug_assert!(
                added.is_empty(),
                "source mappings are compiled before feeds"
            );
            self.columns.fallbacks.append(&mut added);
            (node, problems)
        };
        for problem in problems {
            self.template_error(path, what, source, problem);
        }
        node
    }

    fn template_error(&mut self, path: &str, what: &str, source: &str, problem: TemplateProblem) {
        let text = if path == self.channel.manifest_path {
            Some(self.channel.manifest_text.as_str())
        } else {
            None
        };
        let line = text.and_then(|text| {
            text.lines()
                .position(|line| line.contains(source))
                .map(|at| at + 1)
        });
        self.errors.push(ConfigError {
            path: path.to_owned(),
            line,
            message: format!("{what}, column {}: {}", problem.column, problem.message),
            hint: problem.hint,
        });
    }
}

/// The line where a manifest's attribute begins.
fn line_of(text: &str, attribute: &str) -> Option<usize> {
    let plain = format!("[attributes.{attribute}]");
    let quoted = format!("[attributes.\"{attribute}\"]");
    text.lines()
        .position(|line| line.trim() == plain || line.trim() == quoted)
        .map(|at| at + 1)
}
