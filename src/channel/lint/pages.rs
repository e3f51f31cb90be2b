//! What each of lint's rules checks and why it matters, for `explain`.

/// One rule of lint.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Its name: the defect.
    pub name: &'static str,
    /// The defect in a few words.
    pub title: &'static str,
    /// Why it matters and what to write instead.
    pub why: &'static str,
}

impl Page {
    /// The page as `explain` prints it.
    pub fn text(&self) -> String {
        format!("{}: {}\n\n{}\n", self.name, self.title, self.why)
    }
}

/// The page of that name.
pub fn find(name: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.name == name)
}

const fn page(name: &'static str, title: &'static str, why: &'static str) -> Page {
    Page { name, title, why }
}

/// All of them, by name.
pub const PAGES: &[Page] = &[
    page(
        "always-withheld",
        "a required attribute can never be there, or never be allowed",
        "Every item would be withheld, and the feed never written. Map a column that can have a value, or allow the value.",
    ),
    page(
        "bare-list",
        "a list is printed as it stands",
        "A list has no one text. Write it element by element with `{{#each x}}`, or join it: `{{join x \", \"}}`.",
    ),
    page(
        "cell-not-alone",
        "a cell of a csv or tsv template has more than one expression",
        "A value is quoted as a whole cell; text beside it, quotes around it or a second value break the row. Put them together in the attribute's `value`.",
    ),
    page(
        "certainty",
        "the manifest does not say how sure its facts are",
        "People judge a channel by it: `specification`, `public code` or `general knowledge`.",
    ),
    page(
        "cut-identifier",
        "an identifier or address would be cut",
        "Cut short it names something else. Write `overflow = \"withhold\"`, which is the default there.",
    ),
    page(
        "dialect",
        "`[delimited]` says what no file can be",
        "It knows `delimiter`, `quote` (necessary, always, never), `line_end` (lf, crlf), `header`, `bom` and `encoding`.",
    ),
    page(
        "document",
        "`document` has an unknown word",
        "`document = \"item\"` makes a document for each item; left out, a feed is one document.",
    ),
    page(
        "empty-line",
        "a csv or ndjson template writes an empty line",
        "Readers take it for a broken record. Tags of blocks on lines of their own leave no line behind; a tag within a line leaves its line end.",
    ),
    page(
        "enum-without-values",
        "an enum knows no value",
        "Nothing could be checked. Add `one_of`, or leave `kind` out.",
    ),
    page(
        "helper-arguments",
        "a helper is called with the wrong arguments",
        "`shelfcast channel helpers NAME` shows what it takes.",
    ),
    page(
        "impossible-name",
        "a name stands for nothing",
        "Mappings know the catalog's columns, templates the manifest's attributes. A misspelt name would be an empty place in every feed.",
    ),
    page(
        "manifest",
        "the manifest cannot be used",
        "The message says where and why.",
    ),
    page(
        "map-never-met",
        "`map` translates a word that the column never gives",
        "Columns such as `availability` and `condition` give one of few words after reading; another word on the left is a slip.",
    ),
    page(
        "map-not-in-values",
        "`map` makes a word that `one_of` refuses",
        "Every item with it would be withheld. Make the two agree.",
    ),
    page(
        "misspelt-key",
        "the manifest has a key that nothing reads",
        "It would be silently without effect.",
    ),
    page(
        "never-written",
        "the template does not write an attribute",
        "A required attribute that is not written makes every item wrong at the channel; an optional one is work for nothing.",
    ),
    page(
        "no-attributes",
        "the channel has no attribute",
        "Attributes are what a channel takes: add them one by one from its specification.",
    ),
    page(
        "no-effect",
        "a key changes nothing where it stands",
        "Somebody expected something of it. The message says what it needs.",
    ),
    page(
        "no-example",
        "a required setting has no example",
        "The message about a missing setting shows it, and the channel's golden cases use it.",
    ),
    page(
        "no-file",
        "documents of single items have no names",
        "Add `file`, such as `file = \"{{slug title}}.html\"`.",
    ),
    page(
        "no-length",
        "`max_length` limits nothing or everything",
        "Name one measure, `characters`, `graphemes`, `utf16` or `bytes`, and a number above 0.",
    ),
    page(
        "no-title",
        "the channel has no title",
        "It is what people see in `channel list`.",
    ),
    page(
        "raw",
        "a value is written without escaping",
        "One `<` or quote in the data breaks the document, which is why such a feed is parsed again after writing. Write two braces, or `{{cdata x}}` in XML.",
    ),
    page(
        "request-auth",
        "credentials are missing, written out, or would be shown",
        "Manifests are shared, secrets are not: ask for them in `[request.secrets]`, use them in `[request.auth]`, which sends them to the channel's own host and no other.",
    ),
    page(
        "request-bounds",
        "a pace, batch or polling that lets nothing through, or never ends",
        "Every wait and every size has a bound above 0.",
    ),
    page(
        "request-levels",
        "a store connector says that it can do what nothing in it does",
        "Sync relies on `[request.levels]`: what is compared must be written and its refusal named, keys must have a place, levels must be readable.",
    ),
    page(
        "request-pointer",
        "a place in an answer is no JSON pointer",
        "Places are written as `/data/0/id`: a slash before each member or index.",
    ),
    page(
        "request-step",
        "the steps of a request cannot be followed",
        "Each step has a name of its own, an address, and a body that is there; one of them carries the batch, and removals have a way of their own.",
    ),
    page(
        "request-verdict",
        "an answer would be taken for more than it says",
        "A status of 200 proves nothing about single items. `[request.verdict]` says where each item's outcome stands; an item that is not named is unknown.",
    ),
    page(
        "reserved-name",
        "an attribute is named like something templates know already",
        "`{{slug}}` could not be told from the helper. Call the attribute otherwise; the template writes the channel's own name.",
    ),
    page(
        "runs-together",
        "what is written has no line end",
        "In csv and ndjson an item is a line; without its end it runs into the next one.",
    ),
    page(
        "setting-kind",
        "a setting is of an unknown kind",
        "Kinds are those of attributes, and `list`.",
    ),
    page(
        "spec-date",
        "the day the specification was read is no day",
        "Channels change their rules; the day says which were followed. Write `YYYY-MM-DD`.",
    ),
    page(
        "spec-url",
        "the specification's address is none",
        "Others must be able to read what the manifest follows.",
    ),
    page(
        "template",
        "the template cannot be used",
        "The message says where and why.",
    ),
    page(
        "unknown-country",
        "a country is not in ISO 3166-1",
        "`channel list --country` could not find the channel. Write two capital letters, or `*` for all.",
    ),
    page(
        "unknown-helper",
        "there is no such helper",
        "`shelfcast channel helpers` lists them.",
    ),
    page(
        "unused-setting",
        "a setting is asked for and used nowhere",
        "Merchants would fill it in for nothing.",
    ),
];
