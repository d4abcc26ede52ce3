//! The part `[service.log]` of the configuration: whether each request is logged, and where to.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::place::Place;

/// A log with one line for each request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestLogConfig {
    /// Its file; `None`: standard error, beside what the service says otherwise.
    pub file: Option<PathBuf>,
}

/// As it stands in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestLogForm {
    file: Option<PathBuf>,
}

/// Reads the part.
pub(super) fn read(form: RequestLogForm, place: &Place) -> RequestLogConfig {
    RequestLogConfig {
        file: form.file.map(|path| place.absolute(path)),
    }
}

/// The text of the part in the file.
pub(super) fn text(log: &RequestLogConfig, place: &Place) -> String {
    let mut text = "\n# One line of JSON for each request.\n[service.log]\n".to_owned();
    if let Some(file) = &log.file {
        text.push_str(&format!("file = {}\n", place.shown(file)));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn config(more: &str) -> Result<Config, crate::config::ConfigError> {
        let text = format!(
            "version = 1\narchive = \"01935e7a-1111-7222-8333-444455556666\"\ndata = [\"a\"]\nkeys = \"k\"\n[index]\n{more}"
        );
        Config::parse(Path::new("/a/fumikura.toml"), &text)
    }

    #[test]
    fn requests_are_logged_where_the_part_says_and_nowhere_without_it() {
        assert_eq!(config("").unwrap().service.log, None);
        let to_stderr = config("[service.log]\n").unwrap();
        assert_eq!(to_stderr.service.log, Some(RequestLogConfig { file: None }));
        let to_file = config("[service.log]\nfile = \"log/requests.jsonl\"\n").unwrap();
        let log = to_file.service.log.clone().unwrap();
        assert_eq!(log.file, Some(PathBuf::from("/a/log/requests.jsonl")));
        for config in [to_stderr, to_file] {
            let again = Config::parse(&config.path, &config.to_text()).unwrap();
            assert_eq!(again.service.log, config.service.log);
        }
        assert!(config("[service.log]\nrotate = 7\n").is_err());
    }
}
