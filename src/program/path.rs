//! Paths in templates: how they are taken apart, and which of them a piece mentions.

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};

/// Every name that a template mentions, as it is written.
pub fn mentioned(template: &Template) -> Vec<String> {
    let mut paths = Vec::new();
    for element in &template.elements {
        collect_paths(element, &mut paths);
    }
    paths
}

pub(super) fn collect_paths(element: &TemplateElement, out: &mut Vec<String>) {
    match element {
        TemplateElement::Expression(inner)
        | TemplateElement::HtmlExpression(inner)
        | TemplateElement::HelperBlock(inner) => {
            if is_name_only(inner)
                && let Some(name) = inner.name.as_name()
            {
                out.push(name.to_owned());
            }
            for parameter in inner.params.iter().chain(inner.hash.values()) {
                collect_parameter(parameter, out);
            }
            for template in inner.template.iter().chain(inner.inverse.iter()) {
                for element in &template.elements {
                    collect_paths(element, out);
                }
            }
        }
        _ => {}
    }
}

fn collect_parameter(parameter: &Parameter, out: &mut Vec<String>) {
    match parameter {
        Parameter::Path(_) | Parameter::Name(_) => {
            out.extend(parameter.as_name().map(str::to_owned))
        }
        Parameter::Subexpression(inner) => collect_paths(inner.as_element(), out),
        _ => {}
    }
}

/// How many `../` a path begins with, and its segments: `../catalog.[title.pl]` is 1 and `catalog`, `title.pl`.
pub fn split_path(raw: &str) -> (usize, Vec<String>) {
    let mut rest = raw;
    let mut up = 0;
    if let Some(stripped) = rest.strip_prefix('@')
        && stripped.starts_with("../")
    {
        // `@../index` is the outer loop's `@index`.
        let mut inner = stripped;
        while let Some(shorter) = inner.strip_prefix("../") {
            up += 1;
            inner = shorter;
        }
        return (up, vec![format!("@{inner}")]);
    }
    while let Some(shorter) = rest.strip_prefix("../") {
        up += 1;
        rest = shorter;
    }
    let mut segments = Vec::new();
    let mut segment = String::new();
    let mut bracketed = false;
    for letter in rest.chars() {
        match letter {
            '[' if !bracketed => bracketed = true,
            ']' if bracketed => bracketed = false,
            '.' | '/' if !bracketed => {
                if !segment.is_empty() {
                    segments.push(std::mem::take(&mut segment));
                }
            }
            other => segment.push(other),
        }
    }
    if !segment.is_empty() {
        segments.push(segment);
    }
    (up, segments)
}

/// Whether an expression is a name alone.
pub(super) fn is_name_only(expression: &HelperTemplate) -> bool {
    !expression.block && expression.params.is_empty() && expression.hash.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_split_at_dots_outside_brackets() {
        assert_eq!(
            split_path("../catalog.[title.pl]"),
            (1, vec!["catalog".to_owned(), "title.pl".to_owned()])
        );
        assert_eq!(
            split_path("this.name"),
            (0, vec!["this".to_owned(), "name".to_owned()])
        );
        assert_eq!(split_path("@../index"), (1, vec!["@index".to_owned()]));
    }
}
