//! Bad input, each kind in a test: the exit code, the old feed that stays, and a message that names the place and the way
//! out. Nothing panics, and nothing is dropped without a word.

mod chance;
mod delimited;
mod disk;
mod markup;
mod packed;
mod project;
mod values;

use crate::harness::{FeedTest, Outcome};

/// The columns of [`GOOD`].
pub const HEADER: &str =
    "sku,title,description,price,availability,url,image,brand,condition,on_hand";

/// A catalog of three products that a feed takes as it is.
pub const GOOD: &str = "sku,title,description,price,availability,url,image,brand,condition,on_hand
A-1,Lamp,A lamp,10.00,in_stock,https://shop.example/a,https://shop.example/a.jpg,Lumo,new,3
A-2,Mug,A mug,5.50,in_stock,https://shop.example/b,https://shop.example/b.jpg,Lumo,new,4
A-3,Pot,A pot,7.25,out_of_stock,https://shop.example/c,https://shop.example/c.jpg,Lumo,new,0
";

/// A project with one source and one feed. `source` are further lines of the source, `feed` of the feed.
pub fn project(path: &str, source: &str, feed: &str) -> String {
    format!(
        "[shop]\nname = \"Shop\"\nurl = \"https://shop.example\"\ncurrency = \"EUR\"\nlanguage = \"en\"\ncountry = \"IE\"\n\n\
         [[source]]\nname = \"products\"\npath = \"{path}\"\n{source}\n\
         [[feed]]\nname = \"google\"\nchannel = \"google-products\"\nmax_withheld = \"100%\"\n{feed}\n"
    )
}

/// A project that has built its feed once from a good `catalog.csv`.
pub struct Shop {
    /// The project.
    pub test: FeedTest,
    old: Vec<(String, Vec<u8>)>,
}

/// A shop whose feed stands.
pub fn shop() -> Shop {
    let test = FeedTest::empty();
    test.file("shelfcast.toml", project("catalog.csv", "", ""))
        .file("catalog.csv", GOOD);
    test.build().exits(0);
    let old = test.out();
    assert_eq!(old.len(), 1, "one feed stands");
    Shop { test, old }
}

impl Shop {
    /// Replaces the catalog by another file, with further lines for the source.
    pub fn catalog(&self, path: &str, source: &str, content: impl AsRef<[u8]>) -> &Self {
        self.test
            .file("shelfcast.toml", project(path, source, ""))
            .file(path, content);
        self
    }

    /// Asserts that a build ends with this code, changes no feed, leaves nothing half written, and says all this.
    #[track_caller]
    pub fn refuses(&self, code: i32, said: &[&str]) -> Outcome {
        let mut outcome = self.test.build().exits(code);
        for text in said {
            outcome = outcome.says(text);
        }
        assert_eq!(
            self.test.out(),
            self.old,
            "the old feed stays, and nothing beside it"
        );
        outcome
    }

    /// Asserts that a build ends with 0 and says all this; gives the feed's text.
    #[track_caller]
    pub fn takes(&self, said: &[&str]) -> String {
        let mut outcome = self.test.build().exits(0);
        for text in said {
            outcome = outcome.says(text);
        }
        self.test.text("out/google.xml")
    }
}
