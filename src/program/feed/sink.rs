//! Where an item's bytes go: a buffer that is filled beforehand, so that a short text is a few copies of known length.

/// Zeros put in advance, in bytes: about an item.
const AHEAD: usize = 2048;

/// Bytes, of which those before a position are written.
#[derive(Default)]
pub(super) struct Sink {
    bytes: Vec<u8>,
    at: usize,
}

impl From<Vec<u8>> for Sink {
    fn from(bytes: Vec<u8>) -> Self {
        let at = bytes.len();
        Sink { bytes, at }
    }
}

impl Sink {
    /// What was written.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.at);
        self.bytes
    }

    /// How many bytes were written.
    pub(super) fn len(&self) -> usize {
        self.at
    }

    /// Appends a text.
    #[inline]
    pub(super) fn copy(&mut self, text: &[u8]) {
        let length = text.len();
        let end = self.at + length;
        if end > self.bytes.len() {
            self.grow(end);
        }
        let Some(out) = self.bytes.get_mut(self.at..end) else {
            return;
        };
        self.at = end;
        if length > 64 {
            out.copy_from_slice(text);
        } else if length > 32 {
            front::<32>(out, text);
            back::<32>(out, text);
        } else if length >= 16 {
            front::<16>(out, text);
            back::<16>(out, text);
        } else if length >= 8 {
            front::<8>(out, text);
            back::<8>(out, text);
        } else if length >= 4 {
            front::<4>(out, text);
            back::<4>(out, text);
        } else {
            for (byte, &from) in out.iter_mut().zip(text).take(3) {
                *byte = from;
            }
        }
    }

    #[cold]
    fn grow(&mut self, end: usize) {
        self.bytes.resize(end + AHEAD, 0);
    }
}

#[inline]
fn front<const N: usize>(out: &mut [u8], text: &[u8]) {
    if let (Some(out), Some(text)) = (out.first_chunk_mut::<N>(), text.first_chunk::<N>()) {
        *out = *text;
    }
}

#[inline]
fn back<const N: usize>(out: &mut [u8], text: &[u8]) {
    if let (Some(out), Some(text)) = (out.last_chunk_mut::<N>(), text.last_chunk::<N>()) {
        *out = *text;
    }
}

#[cfg(test)]
mod tests {
    use super::Sink;

    #[test]
    fn every_length_arrives_whole() {
        let all: Vec<u8> = (0..=255).cycle().take(5000).collect();
        let mut sink = Sink::from(b"before".to_vec());
        let mut wanted = b"before".to_vec();
        for length in (0..140).chain([4999, 3, 2100]) {
            let text = &all[..length];
            sink.copy(text);
            wanted.extend_from_slice(text);
            assert_eq!(sink.len(), wanted.len());
        }
        assert_eq!(sink.into_bytes(), wanted);
    }
}
