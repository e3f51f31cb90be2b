//! What goes wrong between a client and a store, over any protocol: drawn from a seed or scripted, and counted by name.
//!
//! Promised: the same seed and the same requests give the same damage. A request that is done late is really done, through
//! the same protocol, when its time has come ([`Faults::settle`]).

use std::collections::VecDeque;

use super::dice::Dice;
use super::exchange::{Answer, Millis, Request};
use super::protocol::{Kind, Protocol};
use super::shop::{Bend, KeyTrouble, Lie, Mischief, Paging, Refuse, Shop};

macro_rules! faults {
    ($($name:ident, $words:literal;)*) => {
        /// One way to go wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Fault { $(#[doc = $words] $name,)* }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Fault] = &[$(Fault::$name,)*];

            /// As it is counted and scripted.
            pub fn name(self) -> &'static str {
                match self { $(Fault::$name => $words,)* }
            }
        }
    };
}

faults! {
    TooManyBare, "429-bare";
    TooManySeconds, "429-seconds";
    TooManyDate, "429-date";
    TooManyZero, "429-zero";
    TooManyGarbage, "429-garbage";
    TooManyPast, "429-past-date";
    TooManyLong, "429-for-minutes";
    Throttled, "throttled-200";
    Before500, "500-before";
    After500, "500-after";
    Before502, "502-before";
    After502, "502-after-html";
    Before503, "503-before";
    After503, "503-after-seconds";
    Before504, "504-before";
    After504, "504-after";
    Html200, "html-200-after";
    Garbage200, "garbage-200-after";
    Gzip200, "broken-gzip-200-after";
    Empty200, "empty-200-after";
    ResetBefore, "reset-before";
    ResetAfter, "reset-after";
    TimeOutBefore, "time-out-before";
    TimeOutAfter, "time-out-after";
    LateSoon, "late-apply-seconds";
    LateLong, "late-apply-minutes";
    Twice, "applied-twice";
    Unreached, "unreached";
    Cut, "answer-cut";
    RefuseOne, "refuse-one";
    RefuseHalf, "refuse-half";
    RefuseAllButOne, "refuse-all-but-one";
    Shuffled, "shuffled";
    Missing, "missing";
    Extra, "extra";
    Doubled, "doubled";
    LieSkipped, "lie-skipped";
    LieClamped, "lie-clamped";
    KeyBusy, "key-busy";
    KeyFailed, "key-failed";
    TokenExpired, "token-expired";
    Unauthorized, "401-once";
    Blocked, "403-block";
    Redirect, "redirect";
    NotFound, "404-once";
    Conflict, "409-once";
    Locked, "423-once";
    OldRead, "old-read";
    PageTwice, "page-twice";
    PageMissing, "page-missing";
    PageLoop, "page-loop";
    PageEndless, "page-endless";
    Restarted, "restarted";
    OrderBefore, "order-before";
    OrderAfter, "order-after";
    Slow, "slow-answer";
}

/// How an exchange ended for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With a whole answer.
    Answer(Answer),
    /// After so many bytes of the body.
    Cut(Answer, usize),
    /// The connection was broken off.
    Reset,
    /// Nothing came until the client gave up.
    TimedOut,
    /// No connection.
    Unreached,
}

/// An exchange as the client saw it.
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// How it ended.
    pub end: End,
    /// How long it took.
    pub took: Millis,
    /// What was drawn.
    pub fault: Option<Fault>,
}

/// The damage, and what it has in store.
#[derive(Clone, Debug)]
pub struct Faults {
    dice: Dice,
    /// So many calls in a thousand go wrong.
    pub share: u64,
    /// What may be drawn.
    pub allowed: Vec<Fault>,
    /// What comes first, call by call.
    pub script: VecDeque<Option<Fault>>,
    /// How often each was drawn, as in [`Fault::ALL`].
    pub drawn: Vec<u64>,
    /// Requests that will be done then.
    late: Vec<(Millis, Request)>,
    /// Until then all is refused, with which fault.
    burst: Option<(Millis, Fault)>,
    /// The client was asked to stay away until then.
    pub asked_until: Millis,
    /// Calls that came nonetheless.
    pub early: u64,
    /// Calls in all.
    pub calls: u64,
    /// Seconds since 1970 at the beginning of the world.
    pub epoch: i64,
    /// What customers bought because of a fault: item, place, units, when.
    pub sold: Vec<(usize, usize, i64, Millis)>,
    /// How long a client waits, in milliseconds.
    pub patience: Millis,
    /// The longest that a late request waits.
    pub late_most: Millis,
}

impl Faults {
    /// None.
    pub fn none() -> Self {
        Self::seeded(0, 0)
    }

    /// So many calls in a thousand go wrong, in any way.
    pub fn seeded(seed: u64, share: u64) -> Self {
        Faults {
            dice: Dice::new(seed),
            share,
            allowed: Fault::ALL.to_vec(),
            script: VecDeque::new(),
            drawn: vec![0; Fault::ALL.len()],
            late: Vec::new(),
            burst: None,
            asked_until: 0,
            early: 0,
            calls: 0,
            epoch: 1_795_341_600,
            sold: Vec::new(),
            patience: 30_000,
            late_most: 600_000,
        }
    }

    /// These, one a call, and then none.
    pub fn scripted(faults: &[Option<Fault>]) -> Self {
        let mut all = Self::none();
        all.script = faults.iter().copied().collect();
        all
    }

    /// Nothing goes wrong any more; what is under way still comes.
    pub fn heal(&mut self) {
        self.share = 0;
        self.script.clear();
        self.burst = None;
    }

    /// Whether all is refused for a while.
    pub fn is_refusing(&self) -> bool {
        self.burst.is_some()
    }

    /// When the next late request is done.
    pub fn next_late(&self) -> Option<Millis> {
        self.late.iter().map(|(due, _)| *due).min()
    }

    /// Does the requests whose time has come.
    pub fn settle(&mut self, shop: &mut Shop, protocol: Protocol, now: Millis) {
        while let Some(due) = self.next_late().filter(|due| *due <= now) {
            let at = self.late.iter().position(|(other, _)| *other == due);
            let (_, request) = self.late.remove(at.expect("it was there"));
            shop.late = true;
            // the bucket is the sender's business, not that of what is under way
            let budget = std::mem::take(&mut shop.budget);
            protocol.answer(shop, &request, due);
            shop.budget = budget;
            shop.late = false;
        }
    }

    /// Whether a fault makes sense for this call.
    fn fits(fault: Fault, kind: Kind, protocol: Protocol) -> bool {
        use Fault::{
            Blocked, Conflict, Doubled, Extra, KeyBusy, KeyFailed, LateLong, LateSoon, LieClamped,
            LieSkipped, Locked, Missing, NotFound, OldRead, OrderAfter, OrderBefore, PageEndless,
            PageLoop, PageMissing, PageTwice, RefuseAllButOne, RefuseHalf, RefuseOne, Restarted,
            Shuffled, Throttled, TokenExpired, Twice,
        };
        let write = kind == Kind::Write;
        let graphql = matches!(protocol, Protocol::Shopify | Protocol::Vendure);
        match fault {
            LateSoon | LateLong | Twice | RefuseOne | RefuseHalf | RefuseAllButOne | LieSkipped
            | LieClamped | Conflict | Locked | NotFound => write,
            KeyBusy | KeyFailed => write && protocol == Protocol::Shopify,
            Throttled => protocol == Protocol::Shopify,
            OldRead => kind == Kind::Read,
            PageTwice | PageMissing | PageLoop | PageEndless => kind == Kind::Read,
            Shuffled | Missing | Extra | Doubled => {
                !(kind == Kind::Login || write && protocol == Protocol::Magento)
            }
            TokenExpired | Restarted => {
                kind != Kind::Login && matches!(protocol, Protocol::Vendure | Protocol::Medusa)
            }
            Blocked => !graphql || kind != Kind::Login,
            OrderBefore | OrderAfter => kind != Kind::Login,
            _ => true,
        }
    }

    fn draw(&mut self, kind: Kind, protocol: Protocol) -> Option<Fault> {
        if let Some(next) = self.script.pop_front() {
            return next;
        }
        if !self.dice.permille(self.share) {
            return None;
        }
        let fits: Vec<Fault> = self
            .allowed
            .iter()
            .copied()
            .filter(|fault| Self::fits(*fault, kind, protocol))
            // a store does not say that a request failed that is under way
            .filter(|fault| *fault != Fault::KeyFailed || self.late.is_empty())
            .collect();
        (!fits.is_empty()).then(|| *self.dice.pick(&fits))
    }

    /// One call through the damage.
    pub fn exchange(
        &mut self,
        shop: &mut Shop,
        protocol: Protocol,
        request: &Request,
        now: Millis,
    ) -> Exchanged {
        self.settle(shop, protocol, now);
        self.calls += 1;
        if now < self.asked_until {
            self.early += 1;
        }
        let usual = 20 + self.dice.below(180);
        if let Some((until, fault)) = self.burst {
            if now < until {
                let answer = self.refusal(fault, now);
                return Exchanged {
                    end: End::Answer(answer),
                    took: usual,
                    fault: None,
                };
            }
            self.burst = None;
        }
        let kind = protocol.kind(request);
        let Some(fault) = self.draw(kind, protocol) else {
            let answer = protocol.answer(shop, request, now);
            return Exchanged {
                end: End::Answer(answer),
                took: usual,
                fault: None,
            };
        };
        let at = Fault::ALL.iter().position(|known| *known == fault);
        self.drawn[at.expect("one of all")] += 1;
        let (end, took) = self.damage(fault, shop, protocol, request, now);
        Exchanged {
            end,
            took: took.unwrap_or(usual),
            fault: Some(fault),
        }
    }

    /// The refusal of one that is asked to wait.
    fn refusal(&mut self, fault: Fault, now: Millis) -> Answer {
        let seconds = 1 + self.dice.below(30);
        let answer = Answer::json(
            429,
            &serde_json::json!({ "errors": "Exceeded the rate limit." }),
        );
        let date = |seconds: i64| {
            let moment = self.epoch + i64::try_from(now / 1000).unwrap_or(0) + seconds;
            let moment = jiff::Timestamp::from_second(moment).expect("a moment of this age");
            jiff::fmt::rfc2822::DateTimePrinter::new()
                .timestamp_to_rfc9110_string(&moment)
                .expect("a date")
        };
        match fault {
            Fault::TooManySeconds => {
                self.asked_until = now + seconds * 1000;
                answer.with("retry-after", seconds.to_string())
            }
            Fault::TooManyDate => {
                // the date names whole seconds
                self.asked_until = (now / 1000 + seconds) * 1000;
                let date = date(i64::try_from(seconds).unwrap_or(1));
                answer.with("retry-after", date)
            }
            Fault::TooManyZero => answer.with("retry-after", "0"),
            Fault::TooManyGarbage => answer.with("retry-after", "a while; \u{fffd}"),
            Fault::TooManyPast => {
                let date = date(-3600);
                answer.with("retry-after", date)
            }
            _ => answer,
        }
    }

    fn damage(
        &mut self,
        fault: Fault,
        shop: &mut Shop,
        protocol: Protocol,
        request: &Request,
        now: Millis,
    ) -> (End, Option<Millis>) {
        use Fault as F;
        let html = |status| {
            Answer::text(
                status,
                "text/html",
                "<html><body><h1>We are sorry</h1></body></html>",
            )
        };
        let error = |status| Answer::json(status, &serde_json::json!({ "message": "error" }));
        let did = |shop: &mut Shop| protocol.answer(shop, request, now);
        let whole = |answer| (End::Answer(answer), None);
        match fault {
            F::TooManyBare
            | F::TooManySeconds
            | F::TooManyDate
            | F::TooManyZero
            | F::TooManyGarbage
            | F::TooManyPast
            | F::TooManyLong => {
                let length = match fault {
                    F::TooManyLong => 60_000 + self.dice.below(540_000),
                    _ => self.dice.below(4000),
                };
                let answer = self.refusal(fault, now);
                let end = (now + length).max(self.asked_until);
                self.burst = Some((end, fault));
                whole(answer)
            }
            F::Throttled => {
                let body = serde_json::json!({
                    "errors": [{ "message": "Throttled", "extensions": { "code": "THROTTLED" } }],
                    "extensions": { "cost": { "requestedQueryCost": 10, "actualQueryCost": null,
                        "throttleStatus": { "maximumAvailable": 2000.0, "currentlyAvailable": 3,
                            "restoreRate": 100.0 } } },
                });
                whole(Answer::json(200, &body))
            }
            F::Before500 => whole(error(500)),
            F::Before502 => whole(html(502)),
            F::Before503 => whole(error(503)),
            F::Before504 => whole(html(504)),
            F::After500 => {
                did(shop);
                whole(error(500))
            }
            F::After502 => {
                did(shop);
                whole(html(502))
            }
            F::After503 => {
                did(shop);
                let seconds = 1 + self.dice.below(5);
                self.asked_until = now + seconds * 1000;
                whole(error(503).with("retry-after", seconds.to_string()))
            }
            F::After504 => {
                did(shop);
                (End::Answer(html(504)), Some(self.patience - 1000))
            }
            F::Html200 => {
                did(shop);
                whole(html(200))
            }
            F::Garbage200 => {
                did(shop);
                whole(Answer::text(
                    200,
                    "application/json",
                    "{\"data\": {\"up\u{0}",
                ))
            }
            F::Gzip200 => {
                did(shop);
                let body = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0x12, 0x34];
                let answer = Answer::text(200, "application/json", body);
                whole(answer.with("content-encoding", "gzip"))
            }
            F::Empty200 => {
                did(shop);
                whole(Answer::text(200, "application/json", ""))
            }
            F::ResetBefore => (End::Reset, None),
            F::ResetAfter => {
                did(shop);
                (End::Reset, None)
            }
            F::TimeOutBefore => (End::TimedOut, Some(self.patience)),
            F::TimeOutAfter => {
                did(shop);
                (End::TimedOut, Some(self.patience))
            }
            F::LateSoon | F::LateLong => {
                let most = if fault == F::LateSoon {
                    5000
                } else {
                    self.late_most
                };
                let wait = self.dice.below(most.max(1));
                if self.dice.permille(500) {
                    // it was reset at once, and is on its way still
                    self.late.push((now + wait, request.clone()));
                    (End::Reset, None)
                } else {
                    self.late
                        .push((now + self.patience + wait, request.clone()));
                    (End::TimedOut, Some(self.patience))
                }
            }
            F::Twice => {
                let answer = did(shop);
                let wait = self.dice.below(2000);
                self.late.push((now + wait, request.clone()));
                whole(answer)
            }
            F::Unreached => (End::Unreached, None),
            F::Cut => {
                let answer = did(shop);
                let bytes = self.dice.index(answer.body.len().max(1));
                (End::Cut(answer, bytes), None)
            }
            F::Slow => {
                let answer = did(shop);
                let took = self.dice.range(1000, self.patience - 1000);
                (End::Answer(answer), Some(took))
            }
            F::TokenExpired | F::Restarted => {
                shop.restart();
                whole(did(shop))
            }
            F::Unauthorized => whole(error(401)),
            F::Blocked => whole(error(403)),
            F::NotFound => whole(error(404)),
            F::Conflict => whole(error(409)),
            F::Locked => whole(error(423)),
            F::Redirect => {
                let answer = Answer::text(302, "text/html", "");
                whole(answer.with("location", "http://169.254.169.254/latest/"))
            }
            F::OrderBefore | F::OrderAfter => {
                let item = self.dice.index(shop.items.len());
                let place = self.dice.index(shop.places.len());
                let units = i64::try_from(1 + self.dice.below(3)).unwrap_or(1);
                if fault == F::OrderBefore {
                    let sold = shop.order(item, place, units, now);
                    self.sold.push((item, place, sold, now));
                    return whole(did(shop));
                }
                let answer = did(shop);
                let sold = shop.order(item, place, units, now);
                self.sold.push((item, place, sold, now));
                whole(answer)
            }
            _ => {
                shop.mischief = self.mischief(fault);
                let named = matches!(
                    protocol,
                    Protocol::WooCommerce | Protocol::Medusa | Protocol::Plain
                );
                if !named {
                    // where the answer does not name each level by itself, none can be missing
                    shop.mischief.lie = match fault {
                        F::Missing => Lie::None,
                        _ => shop.mischief.lie,
                    };
                }
                let answer = did(shop);
                shop.mischief = Mischief::default();
                if fault == F::KeyBusy {
                    // the other request with this key is this one
                    let wait = self.dice.below(3000);
                    self.late.push((now + wait, request.clone()));
                }
                whole(answer)
            }
        }
    }

    /// Damage inside the answer.
    fn mischief(&mut self, fault: Fault) -> Mischief {
        use Fault as F;
        let mut mischief = Mischief {
            seed: self.dice.next(),
            ..Mischief::default()
        };
        match fault {
            F::RefuseOne => mischief.refuse = Refuse::One,
            F::RefuseHalf => mischief.refuse = Refuse::Half,
            F::RefuseAllButOne => mischief.refuse = Refuse::AllButOne,
            F::Shuffled => mischief.list = Bend::Shuffled,
            F::Missing => {
                mischief.list = Bend::Missing;
                if self.dice.permille(500) {
                    mischief.lie = Lie::Skipped;
                }
            }
            F::Extra => mischief.list = Bend::Extra,
            F::Doubled => mischief.list = Bend::Doubled,
            F::LieSkipped => mischief.lie = Lie::Skipped,
            F::LieClamped => mischief.lie = Lie::Clamped,
            F::KeyBusy => mischief.key = KeyTrouble::Busy,
            F::KeyFailed => mischief.key = KeyTrouble::Failed,
            F::OldRead => mischief.behind = 1 + self.dice.below(60_000),
            F::PageTwice => mischief.page = Paging::Twice,
            F::PageMissing => mischief.page = Paging::Missing,
            F::PageLoop => mischief.page = Paging::Loop,
            F::PageEndless => mischief.page = Paging::Endless,
            _ => unreachable!("{fault:?} is damage around the answer"),
        }
        mischief
    }
}
