//! The second opinion: `openssl verify`.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use formats::x509::encode_pem;
use verifier::path::{ProfileRule, Purpose};

use crate::case::Case;
use crate::extension::ANY_POLICY;

/// Whether OpenSSL 3 is there; says in one line what is left out where it is not.
pub(crate) fn is_there() -> bool {
    let version = Command::new("openssl").arg("version").output();
    let found = version.is_ok_and(|output| output.stdout.starts_with(b"OpenSSL 3"));
    if !found {
        tests::left_out(
            "openssl",
            "the second opinion on paths (openssl 3 is not installed)",
        );
    }
    found
}

fn put(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

/// Whether OpenSSL accepts the path, and what it says.
pub(crate) fn verify(folder: &Path, case: &Case) -> (bool, String) {
    let pem = |label: &str, list: &[Vec<u8>]| -> String {
        list.iter().map(|der| encode_pem(label, der)).collect()
    };
    let write = |name: &str, text: &str| put(&folder.join(name), text.as_bytes());
    write("trusted.pem", &pem("CERTIFICATE", &case.anchors));
    write("target.pem", &encode_pem("CERTIFICATE", &case.target));
    let mut command = Command::new("openssl");
    command.arg("verify").current_dir(folder);
    command.args(["-attime", &case.at.unix_timestamp().to_string()]);
    command.args(["-no-CApath", "-no-CAstore", "-CAfile", "trusted.pem"]);
    if !case.chain.is_empty() {
        write("untrusted.pem", &pem("CERTIFICATE", &case.chain));
        command.args(["-untrusted", "untrusted.pem"]);
    }
    if case.revocation {
        command.args(["-crl_check_all", "-extended_crl", "-use_deltas"]);
        for (number, crl) in case.crls.iter().enumerate() {
            let name = format!("{number}.crl");
            write(&name, &encode_pem("X509 CRL", crl));
            command.args(["-CRLfile", &name]);
        }
    }
    if case.asks_policies {
        command.arg("-policy_check");
        if case.policies.is_empty() {
            command.args(["-policy", ANY_POLICY]);
        }
    }
    for policy in &case.policies {
        command.args(["-policy", policy]);
    }
    for (asked, flag) in [
        (case.explicit, "-explicit_policy"),
        (case.inhibit_mapping, "-inhibit_map"),
        (case.inhibit_any, "-inhibit_any"),
        (case.profile == ProfileRule::Everything, "-x509_strict"),
    ] {
        if asked {
            command.arg(flag);
        }
    }
    match &case.purpose {
        Purpose::Any => {}
        Purpose::TimeStamping => {
            command.args(["-purpose", "timestampsign"]);
        }
        Purpose::ExtendedKeyUsage(_) => {
            command.args(["-purpose", "sslserver"]);
        }
    }
    let output = command.arg("target.pem").output().expect("openssl starts");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.success(), said)
}
