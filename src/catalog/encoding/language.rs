//! Which letters, beyond ASCII, each language writes: what tells character sets apart.

/// A language with its letters.
pub(super) struct Language {
    /// BCP 47 tag.
    pub(super) tag: &'static str,
    /// Its lower-case letters beyond ASCII.
    pub(super) letters: &'static str,
}

/// Languages that legacy files are judged by. Thai and Vietnamese have rules of their own besides.
pub(super) const LANGUAGES: [Language; 25] = [
    language("pl", "ąćęłńóśźż"),
    language("cs", "áčďéěíňóřšťúůýž"),
    language("sk", "áäčďéíĺľňóôŕšťúýž"),
    language("hu", "áéíóöőúüű"),
    language("ro", "ăâîșțşţ"),
    language("hr", "čćđšž"),
    language("sl", "čšž"),
    language("de", "äöüß"),
    language("fr", "àâæçéèêëîïôœùûüÿ"),
    language("es", "áéíñóúü"),
    language("it", "àèéìíîòóùú"),
    language("pt", "áâãàçéêíóôõúü"),
    language("ca", "àçèéíïòóúü"),
    language("nl", "áéèëíïóöúü"),
    language("sv", "åäöé"),
    language("da", "æøåé"),
    language("nb", "æøåéòôó"),
    language("no", "æøåéòôó"),
    language("fi", "äöåšž"),
    language("et", "äöõüšž"),
    language("is", "áðéíóúýþæö"),
    language("en", "éèêàâçñöüïôë"),
    language("ga", "áéíóú"),
    language(
        "vi",
        "àáâãèéêìíòóôõùúýăđơư\u{300}\u{301}\u{303}\u{309}\u{323}",
    ),
    language("th", ""),
];

const fn language(tag: &'static str, letters: &'static str) -> Language {
    Language { tag, letters }
}

impl Language {
    /// Whether a letter beyond ASCII is one of the language's.
    pub(super) fn writes(&self, letter: char) -> bool {
        if self.tag == "th" {
            return matches!(letter, '\u{e01}'..='\u{e3a}' | '\u{e40}'..='\u{e5b}');
        }
        let mut lower = letter.to_lowercase();
        lower
            .next()
            .is_some_and(|letter| self.letters.contains(letter))
    }
}

/// The language of a tag such as `pl` or `pl-PL`.
pub(super) fn by_tag(tag: &str) -> Option<&'static Language> {
    let base = tag.split(['-', '_']).next().unwrap_or_default();
    LANGUAGES
        .iter()
        .find(|language| language.tag.eq_ignore_ascii_case(base))
}

/// Signs that stand in texts of any language, beside words rather than in them.
pub(super) fn is_sign(letter: char) -> bool {
    "\u{a0}\u{ad}©®™°±²³¹µ·«»‹›“”„‟‘’‚–—…•§¶¼½¾×÷€£¥¢฿₫†‡‰´¨¯¸ºª¿¡¤¦¬".contains(letter)
}

/// Signs that do stand inside words: apostrophes, soft hyphens, and marks stuck to a name.
pub(super) fn joins_words(letter: char) -> bool {
    "\u{a0}\u{ad}’‘–—…·®™©•×«»“”„".contains(letter)
}
