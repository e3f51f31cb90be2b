//! `explain RULE`: a rule's page.

use crate::validate::rules;

/// The page of a rule, as plain text; `None` where there is no such rule.
pub fn rule_page(name: &str) -> Option<String> {
    rules::find(name).map(rules::Rule::page)
}

/// The rule that may have been meant by a name that is none.
pub fn near_miss(name: &str) -> Option<&'static str> {
    rules::nearest(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_what_breaks_the_rule_and_what_does_not() {
        let page = rule_page("gtin-check-digit").expect("a page");
        for part in ["What it checks", "Why it matters", "4006381333932", "What to write instead", "4006381333931"] {
            assert!(page.contains(part), "{part} is not in:\n{page}");
        }
        assert!(rule_page("gtin-checkdigit").is_none());
        assert_eq!(near_miss("gtin-checkdigit"), Some("gtin-check-digit"));
    }
}
