//! Where a database is, and how to say so without its password.

use crate::catalog::{SourceError, SourceProblem};

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A SQLite file.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB.
    Mysql,
}

/// An address taken apart as far as messages need it. Prints no secret.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) engine: Engine,
    /// What to connect to: a path for SQLite, else the address with its secrets.
    pub(super) target: String,
    /// How messages name it.
    pub(super) shown: String,
    password: String,
}

impl Address {
    /// Reads an address.
    pub(super) fn parse(dsn: &str) -> Result<Self, SourceError> {
        let dsn = dsn.trim();
        let (scheme, rest) = dsn.split_once(':').unwrap_or(("", dsn));
        let engine = match scheme.to_ascii_lowercase().as_str() {
            "sqlite" => Engine::Sqlite,
            "postgres" | "postgresql" => Engine::Postgres,
            "mysql" | "mariadb" => Engine::Mysql,
            _ => {
                return Err(SourceError::new(
                    SourceProblem::Configuration,
                    "database",
                    "its address names no database that can be read",
                )
                .hint("write `sqlite:PATH`, `postgres://…`, `mysql://…` or `mariadb://…`"));
            }
        };
        if engine == Engine::Sqlite {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            let path = path.split('?').next().unwrap_or(path);
            return Ok(Address {
                engine,
                target: path.to_owned(),
                shown: format!("sqlite:{path}"),
                password: String::new(),
            });
        }
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, after) = (rest.get(..end).unwrap_or(""), rest.get(end..).unwrap_or(""));
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let path = after.split(['?', '#']).next().unwrap_or("");
        // An `@` behind the first slash means a password with a slash in it: then nothing can be told apart safely.
        let shown = if after.contains('@') {
            format!("{scheme}://…")
        } else {
            format!("{scheme}://{host}{path}")
        };
        Ok(Address {
            engine,
            target: dsn
                .strip_prefix("mariadb:")
                .map_or_else(|| dsn.to_owned(), |rest| format!("mysql:{rest}")),
            shown,
            password: user
                .split_once(':')
                .map_or_else(String::new, |(_, password)| password.to_owned()),
        })
    }

    /// A message from a driver without the password, should it stand there.
    pub(super) fn without_secrets(&self, message: &str) -> String {
        let message = message.trim().trim_end_matches('.').replace('\n', " ");
        if self.password.is_empty() {
            return message;
        }
        message.replace(&self.password, "[redacted]")
    }

    /// An error about this database.
    pub(super) fn error(&self, problem: SourceProblem, message: &str) -> SourceError {
        SourceError::new(problem, &self.shown, self.without_secrets(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_secrets() {
        for (dsn, shown) in [
            (
                "postgres://u:s3cret@h:5432/shop?sslmode=disable",
                "postgres://h:5432/shop",
            ),
            ("mysql://u:p%40s3cret@h/shop", "mysql://h/shop"),
            ("postgres://u:p@s3cret@h/shop", "postgres://h/shop"),
            ("postgres://u:p/s3cret@h/shop", "postgres://…"),
            ("postgres://u:p?s3cret@h/shop", "postgres://…"),
            (
                "postgres:///shop?host=/tmp&password=s3cret",
                "postgres:///shop",
            ),
            ("sqlite://a/b.db?mode=ro", "sqlite:a/b.db"),
            ("sqlite:b.db", "sqlite:b.db"),
        ] {
            let address = Address::parse(dsn).expect("is one");
            assert_eq!(address.shown, shown);
            assert!(!address.shown.contains("s3cret"), "{dsn}");
        }
        let address = Address::parse("mariadb://u:s3cret@h/shop").expect("is one");
        assert_eq!(address.target, "mysql://u:s3cret@h/shop");
        let error = address.error(SourceProblem::Missing, "no s3cret here.");
        assert_eq!(error.to_string(), "mariadb://h/shop: no [redacted] here");
        let error = Address::parse("oracle://u:s3cret@h")
            .err()
            .expect("is none");
        assert!(!error.to_string().contains("s3cret"));
    }
}
