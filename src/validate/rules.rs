//! The rules: what each is called, how much a broken one harms, and its page.
//!
//! One rule a file; [`RULES`] lists them and is what `explain`, `check --rule` and the reports are made from. Findings
//! name their rule by its text, and a test holds every such text in the source against this table.

mod ambiguous_number;
mod bad_record;
mod control_character;
mod currency_mismatch;
mod cut;
mod date_adjusted;
mod date_invalid;
mod duplicate_file;
mod duplicate_id;
mod duplicate_key;
mod duplicate_member;
mod file_name;
mod gtin_check_digit;
mod gtin_invalid;
mod gtin_restricted;
mod gtin_spreadsheet;
mod helper_failed;
mod list_as_text;
mod measure_invalid;
mod missing_key;
mod missing_required;
mod no_price_in_currency;
mod no_tax_rate;
mod not_a_boolean;
mod not_a_number;
mod not_allowed;
mod not_an_address;
mod nul_byte;
mod out_of_range;
mod oversized_cell;
mod price_negative;
mod price_not_a_number;
mod price_zero;
mod quantity_negative;
mod quantity_not_a_number;
mod ragged_row;
mod refused_by_channel;
mod rule_type;
mod sale_not_below_price;
mod template_failed;
mod too_long;
mod too_short;
mod unknown_age_group;
mod unknown_at_channel;
mod unknown_availability;
mod unknown_condition;
mod unknown_gender;
mod unknown_key;
mod unknown_location;
mod unmapped;
mod untranslated;
mod wrong_form;

use crate::validate::finding::Severity;

/// What a broken rule does to the shop, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Harm {
    /// Nothing that shoppers see.
    Untidy,
    /// The product is shown with less than it has.
    Poorer,
    /// Something is shown that is not so, or a price or stock level counts as absent.
    Wrong,
    /// The product is not shown at all.
    Lost,
}

impl Harm {
    /// What it does, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Harm::Untidy => "nothing that shoppers see",
            Harm::Poorer => "the product is shown with less than it has",
            Harm::Wrong => {
                "something wrong may be shown, or a price or stock level counts as absent"
            }
            Harm::Lost => "the product is not shown",
        }
    }
}

/// Files of a small project, by name: catalogs and tables whole, `shelfcast.toml` and `channel.toml` as what they add to
/// the usual ones.
pub type Example = &'static [(&'static str, &'static str)];

/// A rule and its page.
#[derive(Debug)]
pub struct Rule {
    /// What findings, `allow` and `explain` call it: the defect.
    pub name: &'static str,
    /// How severe a finding usually is; a channel may say otherwise.
    pub severity: Severity,
    /// What a broken one does to the shop.
    pub harm: Harm,
    /// The defect in a few words.
    pub title: &'static str,
    /// What it checks.
    pub checks: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// An example that breaks it; empty where none can be shown.
    pub fires: Example,
    /// What to write instead.
    pub instead: &'static str,
    /// The example put right.
    pub passes: Example,
}

/// All rules: records, joins, cells, attributes, answers of channels.
pub const RULES: &[Rule] = &[
    ragged_row::RULE,
    oversized_cell::RULE,
    nul_byte::RULE,
    bad_record::RULE,
    duplicate_member::RULE,
    duplicate_key::RULE,
    missing_key::RULE,
    unknown_key::RULE,
    unknown_location::RULE,
    list_as_text::RULE,
    not_a_number::RULE,
    ambiguous_number::RULE,
    price_not_a_number::RULE,
    price_negative::RULE,
    price_zero::RULE,
    sale_not_below_price::RULE,
    currency_mismatch::RULE,
    quantity_negative::RULE,
    quantity_not_a_number::RULE,
    gtin_check_digit::RULE,
    gtin_invalid::RULE,
    gtin_spreadsheet::RULE,
    gtin_restricted::RULE,
    unknown_availability::RULE,
    unknown_condition::RULE,
    unknown_gender::RULE,
    unknown_age_group::RULE,
    date_invalid::RULE,
    date_adjusted::RULE,
    measure_invalid::RULE,
    missing_required::RULE,
    no_price_in_currency::RULE,
    no_tax_rate::RULE,
    not_a_boolean::RULE,
    not_allowed::RULE,
    not_an_address::RULE,
    too_long::RULE,
    too_short::RULE,
    out_of_range::RULE,
    cut::RULE,
    control_character::RULE,
    untranslated::RULE,
    duplicate_id::RULE,
    duplicate_file::RULE,
    file_name::RULE,
    unmapped::RULE,
    rule_type::RULE,
    helper_failed::RULE,
    template_failed::RULE,
    refused_by_channel::RULE,
    unknown_at_channel::RULE,
    wrong_form::RULE,
];

/// The rule of a name.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// The rule whose name is nearest to one that is none, where one is near.
pub fn nearest(name: &str) -> Option<&'static str> {
    let words = |name: &str| {
        let mut words: Vec<String> = name
            .to_lowercase()
            .split(['-', '_', ' '])
            .map(str::to_owned)
            .collect();
        words.sort_unstable();
        words.join("-")
    };
    let wanted = words(name);
    RULES
        .iter()
        .map(|rule| {
            (
                strsim::jaro_winkler(&wanted, &words(rule.name))
                    .max(strsim::jaro_winkler(name, rule.name)),
                rule.name,
            )
        })
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// What a broken rule harms: the most, for a rule that has no page.
pub fn harm(name: &str) -> Harm {
    find(name).map_or(Harm::Lost, |rule| rule.harm)
}

impl Rule {
    /// The rule's page as plain text, lines of at most 80 columns.
    pub fn page(&self) -> String {
        let severity = match self.severity {
            Severity::Error => "error: the item is withheld",
            Severity::Warning => "warning",
        };
        let mut page = format!("{}\n  {}\n\n", self.name, self.title);
        page.push_str(&format!(
            "Severity: {severity} (a channel may say otherwise)\n"
        ));
        page.push_str(&format!("Harm: {}\n", self.harm.about()));
        section(&mut page, "What it checks", self.checks);
        section(&mut page, "Why it matters", self.why);
        example(&mut page, "Breaks it", self.fires);
        section(&mut page, "What to write instead", self.instead);
        example(&mut page, "Does not break it", self.passes);
        page
    }
}

fn section(page: &mut String, head: &str, text: &str) {
    page.push_str(&format!("\n{head}\n"));
    let mut width = 0;
    for word in text.split_whitespace() {
        let letters = word.chars().count();
        if width > 0 && width + 1 + letters > 78 {
            page.push('\n');
            width = 0;
        }
        page.push_str(if width == 0 { "  " } else { " " });
        width += letters + if width == 0 { 2 } else { 1 };
        page.push_str(word);
    }
    page.push('\n');
}

fn example(page: &mut String, head: &str, files: Example) {
    if files.is_empty() {
        return;
    }
    page.push_str(&format!("\n{head}\n"));
    for (name, text) in files {
        page.push_str(&format!("  {name}\n"));
        for line in text.lines() {
            page.push_str(&format!("    {}\n", crate::model::visible::visible(line)));
        }
    }
}

#[cfg(test)]
mod tests;
