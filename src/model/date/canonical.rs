//! The canonical form of a moment, `YYYY-MM-DDTHH:MM:SS±HH:MM`, read at once. In: any text. Out: the moment of one in that
//! form, in a year that can only be ours; every other text is left to who reads all notations.

use jiff::Timestamp;
use jiff::tz::Offset;

use super::Moment;

/// The moment of a text in the usual canonical form, `YYYY-MM-DDTHH:MM:SS±HH:MM`; `None` for all others.
pub(super) fn canonical(text: &str) -> Option<Moment> {
    let fields = Fields::of(text)?;
    Some(Moment {
        at: Timestamp::from_second(fields.second()).ok()?,
        offset: Offset::from_seconds(fields.offset).ok()?,
        date_only: false,
        adjusted: None,
    })
}

/// The numbers of a canonical text, all within their ranges. The years in which no calendar but ours is meant.
pub(super) struct Fields {
    year: i64,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    /// Of the clock before UTC, in seconds.
    offset: i32,
}

impl Fields {
    #[inline]
    pub(super) fn of(text: &str) -> Option<Fields> {
        let bytes: &[u8; 25] = text.as_bytes().try_into().ok()?;
        let mut digits = true;
        let mut two = |at: usize| {
            let (ten, one) = (
                bytes[at].wrapping_sub(b'0'),
                bytes[at + 1].wrapping_sub(b'0'),
            );
            digits &= ten <= 9 && one <= 9;
            ten.wrapping_mul(10).wrapping_add(one)
        };
        let year = i64::from(two(0)) * 100 + i64::from(two(2));
        let (month, day) = (two(5), two(8));
        let (hour, minute, second) = (two(11), two(14), two(17));
        let (hours, minutes) = (two(20), two(23));
        let signs = [
            bytes[4], bytes[7], bytes[10], bytes[13], bytes[16], bytes[22],
        ] == *b"--T:::";
        let negative = bytes[19] == b'-';
        let days = match month {
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let seconds = (i32::from(hours) * 60 + i32::from(minutes)) * 60;
        let right = digits
            && signs
            && (negative || bytes[19] == b'+')
            && (1000..2500).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days).contains(&day)
            && hour <= 23
            && minute <= 59
            && second <= 59
            && hours <= 23
            && minutes <= 59
            // Nobody writes UTC like that, who reads it.
            && !(negative && seconds == 0);
        right.then_some(Fields {
            year,
            month,
            day,
            hour,
            minute,
            second,
            offset: if negative { -seconds } else { seconds },
        })
    }

    /// Seconds since 1970.
    #[inline]
    fn second(&self) -> i64 {
        // A year that begins with March ends with the leap day.
        let year = self.year - i64::from(self.month <= 2);
        let month = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        let day = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
        let clock = (i64::from(self.hour) * 60 + i64::from(self.minute)) * 60;
        day * 86_400 + clock + i64::from(self.second) - i64::from(self.offset)
    }
}
