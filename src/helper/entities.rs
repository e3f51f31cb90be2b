//! The named character references of HTML that texts in catalogs use: all of HTML 4, and of HTML 5 the Latin letters,
//! signs and punctuation. Names are written as between `&` and `;`, and their case matters.

/// The character of a name; `None` for a name not known here.
pub(crate) fn character(name: &str) -> Option<char> {
    let at = NAMES
        .binary_search_by(|(known, _)| (*known).cmp(name))
        .ok()?;
    NAMES.get(at).and_then(|(_, code)| char::from_u32(*code))
}

/// A name of up to seven letters as a number, gathered letter by letter: most names are looked up by comparing numbers.
#[derive(Default)]
pub(super) struct Packed {
    number: u64,
    letters: u32,
}

impl Packed {
    /// Takes one more letter or digit; `false` when it is neither, or one too many.
    #[inline(always)]
    pub(super) fn push(&mut self, letter: u8) -> bool {
        let takes = self.letters < 7 && letter.is_ascii_alphanumeric();
        if takes {
            self.number = self.number << 8 | u64::from(letter);
            self.letters += 1;
        }
        takes
    }

    /// The character of the name; `None` for a name not known, or none.
    #[inline]
    pub(super) fn character(&self) -> Option<char> {
        // The first letter stands highest, as in the table; a name too long for a number has a letter in the last place.
        let number = self.number.checked_shl(8 * (8 - self.letters))?;
        let at = NUMBERS.binary_search(&number).ok()?;
        NAMES.get(at).and_then(|(_, code)| char::from_u32(*code))
    }
}

/// The first eight letters of each name, filled up with zeros, in the same order.
static NUMBERS: [u64; NAMES.len()] = {
    let mut numbers = [0; NAMES.len()];
    let mut at = 0;
    while at < NAMES.len() {
        let name = NAMES[at].0.as_bytes();
        let mut letter = 0;
        while letter < 8 {
            numbers[at] = numbers[at] << 8
                | if letter < name.len() {
                    name[letter] as u64
                } else {
                    0
                };
            letter += 1;
        }
        at += 1;
    }
    numbers
};

/// Names in byte order with their code points.
#[rustfmt::skip]
const NAMES: &[(&str, u32)] = &[
    ("AElig", 0xc6), ("AMP", 0x26), ("Aacute", 0xc1), ("Abreve", 0x102), ("Acirc", 0xc2), ("Agrave", 0xc0),
    ("Alpha", 0x391), ("Amacr", 0x100), ("Aogon", 0x104), ("ApplyFunction", 0x2061), ("Aring", 0xc5),
    ("Atilde", 0xc3), ("Auml", 0xc4), ("Bernoullis", 0x212c), ("Beta", 0x392), ("Bscr", 0x212c), ("COPY", 0xa9),
    ("Cacute", 0x106), ("CapitalDifferentialD", 0x2145), ("Cayleys", 0x212d), ("Ccaron", 0x10c), ("Ccedil", 0xc7),
    ("Ccirc", 0x108), ("Cdot", 0x10a), ("Cedilla", 0xb8), ("CenterDot", 0xb7), ("Cfr", 0x212d), ("Chi", 0x3a7),
    ("CloseCurlyDoubleQuote", 0x201d), ("CloseCurlyQuote", 0x2019), ("Copf", 0x2102), ("DD", 0x2145),
    ("Dagger", 0x2021), ("Dcaron", 0x10e), ("Delta", 0x394), ("DiacriticalAcute", 0xb4), ("DiacriticalGrave", 0x60),
    ("DifferentialD", 0x2146), ("Dot", 0xa8), ("DotDot", 0x20dc), ("DoubleDot", 0xa8), ("Dstrok", 0x110),
    ("ENG", 0x14a), ("ETH", 0xd0), ("Eacute", 0xc9), ("Ecaron", 0x11a), ("Ecirc", 0xca), ("Edot", 0x116),
    ("Egrave", 0xc8), ("Emacr", 0x112), ("Eogon", 0x118), ("Epsilon", 0x395), ("Escr", 0x2130), ("Eta", 0x397),
    ("Euml", 0xcb), ("ExponentialE", 0x2147), ("Fouriertrf", 0x2131), ("Fscr", 0x2131), ("GT", 0x3e),
    ("Gamma", 0x393), ("Gbreve", 0x11e), ("Gcedil", 0x122), ("Gcirc", 0x11c), ("Gdot", 0x120), ("Hat", 0x5e),
    ("Hcirc", 0x124), ("Hfr", 0x210c), ("HilbertSpace", 0x210b), ("Hopf", 0x210d), ("Hscr", 0x210b),
    ("Hstrok", 0x126), ("IJlig", 0x132), ("Iacute", 0xcd), ("Icirc", 0xce), ("Idot", 0x130), ("Ifr", 0x2111),
    ("Igrave", 0xcc), ("Im", 0x2111), ("Imacr", 0x12a), ("ImaginaryI", 0x2148), ("InvisibleComma", 0x2063),
    ("InvisibleTimes", 0x2062), ("Iogon", 0x12e), ("Iota", 0x399), ("Iscr", 0x2110), ("Itilde", 0x128),
    ("Iuml", 0xcf), ("Jcirc", 0x134), ("Kappa", 0x39a), ("Kcedil", 0x136), ("LT", 0x3c), ("Lacute", 0x139),
    ("Lambda", 0x39b), ("Laplacetrf", 0x2112), ("Lcaron", 0x13d), ("Lcedil", 0x13b), ("Lmidot", 0x13f),
    ("Lscr", 0x2112), ("Lstrok", 0x141), ("MediumSpace", 0x205f), ("Mellintrf", 0x2133), ("Mscr", 0x2133),
    ("Mu", 0x39c), ("Nacute", 0x143), ("Ncaron", 0x147), ("Ncedil", 0x145), ("NegativeMediumSpace", 0x200b),
    ("NegativeThickSpace", 0x200b), ("NegativeThinSpace", 0x200b), ("NegativeVeryThinSpace", 0x200b),
    ("NewLine", 0xa), ("NoBreak", 0x2060), ("NonBreakingSpace", 0xa0), ("Nopf", 0x2115), ("Ntilde", 0xd1),
    ("Nu", 0x39d), ("OElig", 0x152), ("Oacute", 0xd3), ("Ocirc", 0xd4), ("Odblac", 0x150), ("Ograve", 0xd2),
    ("Omacr", 0x14c), ("Omega", 0x3a9), ("Omicron", 0x39f), ("OpenCurlyDoubleQuote", 0x201c),
    ("OpenCurlyQuote", 0x2018), ("Oslash", 0xd8), ("Otilde", 0xd5), ("Ouml", 0xd6), ("OverBar", 0x203e),
    ("Phi", 0x3a6), ("Pi", 0x3a0), ("PlusMinus", 0xb1), ("Poincareplane", 0x210c), ("Popf", 0x2119),
    ("Prime", 0x2033), ("Psi", 0x3a8), ("QUOT", 0x22), ("Qopf", 0x211a), ("REG", 0xae), ("Racute", 0x154),
    ("Rcaron", 0x158), ("Rcedil", 0x156), ("Re", 0x211c), ("Rfr", 0x211c), ("Rho", 0x3a1), ("Ropf", 0x211d),
    ("Rscr", 0x211b), ("Sacute", 0x15a), ("Scaron", 0x160), ("Scedil", 0x15e), ("Scirc", 0x15c), ("Sigma", 0x3a3),
    ("THORN", 0xde), ("TRADE", 0x2122), ("Tab", 0x9), ("Tau", 0x3a4), ("Tcaron", 0x164), ("Tcedil", 0x162),
    ("Theta", 0x398), ("ThinSpace", 0x2009), ("TripleDot", 0x20db), ("Tstrok", 0x166), ("Uacute", 0xda),
    ("Ubreve", 0x16c), ("Ucirc", 0xdb), ("Udblac", 0x170), ("Ugrave", 0xd9), ("Umacr", 0x16a), ("UnderBar", 0x5f),
    ("Uogon", 0x172), ("Upsilon", 0x3a5), ("Uring", 0x16e), ("Utilde", 0x168), ("Uuml", 0xdc), ("Verbar", 0x2016),
    ("Vert", 0x2016), ("VerticalLine", 0x7c), ("VeryThinSpace", 0x200a), ("Wcirc", 0x174), ("Xi", 0x39e),
    ("Yacute", 0xdd), ("Ycirc", 0x176), ("Yuml", 0x178), ("Zacute", 0x179), ("Zcaron", 0x17d), ("Zdot", 0x17b),
    ("ZeroWidthSpace", 0x200b), ("Zeta", 0x396), ("Zfr", 0x2128), ("Zopf", 0x2124), ("aacute", 0xe1),
    ("abreve", 0x103), ("acirc", 0xe2), ("acute", 0xb4), ("aelig", 0xe6), ("af", 0x2061), ("agrave", 0xe0),
    ("alefsym", 0x2135), ("aleph", 0x2135), ("alpha", 0x3b1), ("amacr", 0x101), ("amp", 0x26), ("and", 0x2227),
    ("ang", 0x2220), ("angst", 0xc5), ("aogon", 0x105), ("apos", 0x27), ("aring", 0xe5), ("ast", 0x2a),
    ("asymp", 0x2248), ("atilde", 0xe3), ("auml", 0xe4), ("backprime", 0x2035), ("bdquo", 0x201e), ("bernou", 0x212c),
    ("beta", 0x3b2), ("beth", 0x2136), ("bprime", 0x2035), ("brvbar", 0xa6), ("bsemi", 0x204f), ("bsol", 0x5c),
    ("bull", 0x2022), ("bullet", 0x2022), ("cacute", 0x107), ("cap", 0x2229), ("caret", 0x2041), ("ccaron", 0x10d),
    ("ccedil", 0xe7), ("ccirc", 0x109), ("cdot", 0x10b), ("cedil", 0xb8), ("cent", 0xa2), ("centerdot", 0xb7),
    ("check", 0x2713), ("checkmark", 0x2713), ("chi", 0x3c7), ("circ", 0x2c6), ("circledR", 0xae), ("clubs", 0x2663),
    ("colon", 0x3a), ("comma", 0x2c), ("commat", 0x40), ("complexes", 0x2102), ("cong", 0x2245), ("copy", 0xa9),
    ("copysr", 0x2117), ("crarr", 0x21b5), ("cross", 0x2717), ("cup", 0x222a), ("curren", 0xa4), ("dArr", 0x21d3),
    ("dagger", 0x2020), ("daleth", 0x2138), ("darr", 0x2193), ("dash", 0x2010), ("dcaron", 0x10f), ("dd", 0x2146),
    ("ddagger", 0x2021), ("deg", 0xb0), ("delta", 0x3b4), ("diams", 0x2666), ("die", 0xa8), ("div", 0xf7),
    ("divide", 0xf7), ("dollar", 0x24), ("dstrok", 0x111), ("eacute", 0xe9), ("ecaron", 0x11b), ("ecirc", 0xea),
    ("edot", 0x117), ("ee", 0x2147), ("egrave", 0xe8), ("ell", 0x2113), ("emacr", 0x113), ("empty", 0x2205),
    ("emsp", 0x2003), ("emsp13", 0x2004), ("emsp14", 0x2005), ("eng", 0x14b), ("ensp", 0x2002), ("eogon", 0x119),
    ("epsilon", 0x3b5), ("equals", 0x3d), ("equiv", 0x2261), ("escr", 0x212f), ("eta", 0x3b7), ("eth", 0xf0),
    ("euml", 0xeb), ("euro", 0x20ac), ("excl", 0x21), ("exist", 0x2203), ("expectation", 0x2130),
    ("exponentiale", 0x2147), ("female", 0x2640), ("fnof", 0x192), ("forall", 0x2200), ("frac12", 0xbd),
    ("frac14", 0xbc), ("frac34", 0xbe), ("frasl", 0x2044), ("gamma", 0x3b3), ("gbreve", 0x11f), ("gcirc", 0x11d),
    ("gdot", 0x121), ("ge", 0x2265), ("gimel", 0x2137), ("grave", 0x60), ("gscr", 0x210a), ("gt", 0x3e),
    ("hArr", 0x21d4), ("hairsp", 0x200a), ("half", 0xbd), ("hamilt", 0x210b), ("harr", 0x2194), ("hbar", 0x210f),
    ("hcirc", 0x125), ("hearts", 0x2665), ("hellip", 0x2026), ("horbar", 0x2015), ("hslash", 0x210f),
    ("hstrok", 0x127), ("hybull", 0x2043), ("hyphen", 0x2010), ("iacute", 0xed), ("ic", 0x2063), ("icirc", 0xee),
    ("iexcl", 0xa1), ("igrave", 0xec), ("ii", 0x2148), ("iiota", 0x2129), ("ijlig", 0x133), ("imacr", 0x12b),
    ("image", 0x2111), ("imagline", 0x2110), ("imagpart", 0x2111), ("imath", 0x131), ("incare", 0x2105),
    ("infin", 0x221e), ("inodot", 0x131), ("int", 0x222b), ("integers", 0x2124), ("iogon", 0x12f), ("iota", 0x3b9),
    ("iquest", 0xbf), ("isin", 0x2208), ("it", 0x2062), ("itilde", 0x129), ("iuml", 0xef), ("jcirc", 0x135),
    ("kappa", 0x3ba), ("kcedil", 0x137), ("kgreen", 0x138), ("lArr", 0x21d0), ("lacute", 0x13a), ("lagran", 0x2112),
    ("lambda", 0x3bb), ("lang", 0x2329), ("laquo", 0xab), ("larr", 0x2190), ("lbrace", 0x7b), ("lbrack", 0x5b),
    ("lcaron", 0x13e), ("lcedil", 0x13c), ("lceil", 0x2308), ("lcub", 0x7b), ("ldquo", 0x201c), ("ldquor", 0x201e),
    ("le", 0x2264), ("lfloor", 0x230a), ("lmidot", 0x140), ("lowast", 0x2217), ("lowbar", 0x5f), ("loz", 0x25ca),
    ("lpar", 0x28), ("lrm", 0x200e), ("lsaquo", 0x2039), ("lsqb", 0x5b), ("lsquo", 0x2018), ("lsquor", 0x201a),
    ("lstrok", 0x142), ("lt", 0x3c), ("macr", 0xaf), ("male", 0x2642), ("mdash", 0x2014), ("mho", 0x2127),
    ("micro", 0xb5), ("midast", 0x2a), ("middot", 0xb7), ("minus", 0x2212), ("mldr", 0x2026), ("mu", 0x3bc),
    ("nabla", 0x2207), ("nacute", 0x144), ("napos", 0x149), ("naturals", 0x2115), ("nbsp", 0xa0), ("ncaron", 0x148),
    ("ncedil", 0x146), ("ndash", 0x2013), ("ne", 0x2260), ("ni", 0x220b), ("nldr", 0x2025), ("not", 0xac),
    ("notin", 0x2209), ("nsub", 0x2284), ("ntilde", 0xf1), ("nu", 0x3bd), ("num", 0x23), ("numero", 0x2116),
    ("numsp", 0x2007), ("oacute", 0xf3), ("ocirc", 0xf4), ("odblac", 0x151), ("oelig", 0x153), ("ograve", 0xf2),
    ("oline", 0x203e), ("omacr", 0x14d), ("omega", 0x3c9), ("omicron", 0x3bf), ("oplus", 0x2295), ("or", 0x2228),
    ("order", 0x2134), ("orderof", 0x2134), ("ordf", 0xaa), ("ordm", 0xba), ("oscr", 0x2134), ("oslash", 0xf8),
    ("otilde", 0xf5), ("otimes", 0x2297), ("ouml", 0xf6), ("para", 0xb6), ("part", 0x2202), ("percnt", 0x25),
    ("period", 0x2e), ("permil", 0x2030), ("perp", 0x22a5), ("pertenk", 0x2031), ("phi", 0x3c6), ("phmmat", 0x2133),
    ("phone", 0x260e), ("pi", 0x3c0), ("piv", 0x3d6), ("planck", 0x210f), ("planckh", 0x210e), ("plankv", 0x210f),
    ("plus", 0x2b), ("plusmn", 0xb1), ("pm", 0xb1), ("pound", 0xa3), ("prime", 0x2032), ("primes", 0x2119),
    ("prod", 0x220f), ("prop", 0x221d), ("psi", 0x3c8), ("puncsp", 0x2008), ("qprime", 0x2057),
    ("quaternions", 0x210d), ("quest", 0x3f), ("quot", 0x22), ("rArr", 0x21d2), ("racute", 0x155), ("radic", 0x221a),
    ("rang", 0x232a), ("raquo", 0xbb), ("rarr", 0x2192), ("rationals", 0x211a), ("rbrace", 0x7d), ("rbrack", 0x5d),
    ("rcaron", 0x159), ("rcedil", 0x157), ("rceil", 0x2309), ("rcub", 0x7d), ("rdquo", 0x201d), ("rdquor", 0x201d),
    ("real", 0x211c), ("realine", 0x211b), ("realpart", 0x211c), ("reals", 0x211d), ("reg", 0xae), ("rfloor", 0x230b),
    ("rho", 0x3c1), ("rlm", 0x200f), ("rpar", 0x29), ("rsaquo", 0x203a), ("rsqb", 0x5d), ("rsquo", 0x2019),
    ("rsquor", 0x2019), ("rx", 0x211e), ("sacute", 0x15b), ("sbquo", 0x201a), ("scaron", 0x161), ("scedil", 0x15f),
    ("scirc", 0x15d), ("sdot", 0x22c5), ("sect", 0xa7), ("semi", 0x3b), ("shy", 0xad), ("sigma", 0x3c3),
    ("sigmaf", 0x3c2), ("sim", 0x223c), ("sol", 0x2f), ("spades", 0x2660), ("star", 0x2606), ("starf", 0x2605),
    ("strns", 0xaf), ("sub", 0x2282), ("sube", 0x2286), ("sum", 0x2211), ("sup", 0x2283), ("sup1", 0xb9),
    ("sup2", 0xb2), ("sup3", 0xb3), ("supe", 0x2287), ("szlig", 0xdf), ("tau", 0x3c4), ("tcaron", 0x165),
    ("tcedil", 0x163), ("tdot", 0x20db), ("there4", 0x2234), ("theta", 0x3b8), ("thetasym", 0x3d1),
    ("thinsp", 0x2009), ("thorn", 0xfe), ("tilde", 0x2dc), ("times", 0xd7), ("tprime", 0x2034), ("trade", 0x2122),
    ("tstrok", 0x167), ("uArr", 0x21d1), ("uacute", 0xfa), ("uarr", 0x2191), ("ubreve", 0x16d), ("ucirc", 0xfb),
    ("udblac", 0x171), ("ugrave", 0xf9), ("umacr", 0x16b), ("uml", 0xa8), ("uogon", 0x173), ("upsih", 0x3d2),
    ("upsilon", 0x3c5), ("uring", 0x16f), ("utilde", 0x169), ("uuml", 0xfc), ("vellip", 0x22ee), ("verbar", 0x7c),
    ("vert", 0x7c), ("wcirc", 0x175), ("weierp", 0x2118), ("wp", 0x2118), ("xi", 0x3be), ("yacute", 0xfd),
    ("ycirc", 0x177), ("yen", 0xa5), ("yuml", 0xff), ("zacute", 0x17a), ("zcaron", 0x17e), ("zdot", 0x17c),
    ("zeetrf", 0x2128), ("zeta", 0x3b6), ("zwj", 0x200d), ("zwnj", 0x200c),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_found() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
        for (name, want) in [
            ("amp", '&'),
            ("lt", '<'),
            ("nbsp", '\u{a0}'),
            ("euro", '€'),
            ("Auml", 'Ä'),
            ("auml", 'ä'),
            ("apos", '\''),
            ("lstrok", 'ł'),
            ("hellip", '…'),
            ("rarr", '→'),
            ("ccaron", 'č'),
        ] {
            assert_eq!(character(name), Some(want), "{name}");
        }
        assert_eq!(character("nothing"), None);
        assert!(
            NAMES
                .iter()
                .all(|(_, code)| char::from_u32(*code).is_some())
        );
    }
}
