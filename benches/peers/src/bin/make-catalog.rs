//! Makes the reference catalog: `make-catalog N OUT.csv [SEED]`.

use std::fs::File;
use std::io::BufWriter;
use std::process::ExitCode;

/// Used where no seed is given.
const SEED: u64 = 20_261_122;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = || "usage: make-catalog N OUT.csv [SEED]".to_owned();
    let (count, path, seed) = match arguments.as_slice() {
        [count, path] => (count, path, None),
        [count, path, seed] => (count, path, Some(seed)),
        _ => return Err(usage()),
    };
    let count = count.parse().map_err(|_| usage())?;
    let seed = seed.map_or(Ok(SEED), |seed| seed.parse().map_err(|_| usage()))?;
    let file = File::create(path).map_err(|error| format!("cannot create `{path}`: {error}"))?;
    peers::catalog::write(count, seed, BufWriter::with_capacity(1 << 16, file))
        .map_err(|error| format!("cannot write `{path}`: {error}"))
}
