//! A real rsyslog as sender, killed and started again.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};

use super::*;

/// An rsyslog that follows a file and sends it over TLS.
struct Rsyslog {
    child: Child,
}

impl Rsyslog {
    fn start(place: &Place, port: u16) -> Self {
        let root = place.root.path();
        let settings = format!(
            r#"global(workDirectory="{root}/work" maxMessageSize="8k" DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="{root}/ca.pem"
  DefaultNetstreamDriverCertFile="{root}/ca-client.pem" DefaultNetstreamDriverKeyFile="{root}/ca-client.key")
main_queue(queue.type="Direct")
module(load="imfile" mode="polling" PollingInterval="1")
template(name="line" type="string" string="<%PRI%>1 %TIMESTAMP:::date-rfc3339% %HOSTNAME% %APP-NAME% - - - %msg%")
template(name="sent" type="string" string="%msg%\n")
input(type="imfile" File="{root}/log" Tag="test" PersistStateInterval="1" freshStartTail="off")
action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" TCP_Framing="octet-counted" template="line"
  StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost"
  action.resumeRetryCount="-1" action.resumeInterval="1")
action(type="omfile" file="{root}/sent" template="sent")
"#,
            root = root.display()
        );
        fs::create_dir_all(root.join("work")).unwrap();
        fs::write(root.join("rsyslog.conf"), settings).unwrap();
        let child = Command::new("/usr/sbin/rsyslogd")
            .args(["-n", "-f"])
            .arg(root.join("rsyslog.conf"))
            .arg("-i")
            .arg(root.join("rsyslog.pid"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child }
    }

    /// `SIGKILL`.
    fn kill(mut self, place: &Place) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        fs::remove_file(place.root.path().join("rsyslog.pid")).ok();
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn is_here() -> bool {
    let has_program = Path::new("/usr/sbin/rsyslogd").is_file();
    let libraries = [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib",
    ];
    let driver = |folder: &&str| Path::new(folder).join("rsyslog/lmnsd_ossl.so").is_file();
    if has_program && libraries.iter().any(driver) {
        return true;
    }
    let required = std::env::var_os("FUMIKURA_REQUIRE_PEERS").is_some();
    let lacking = std::env::var("FUMIKURA_LACKING").unwrap_or_default();
    assert!(!required || lacking.split(' ').any(|one| one == "rsyslog"));
    println!("left out: rsyslog as sender, it is not installed");
    false
}

/// The numbers of the lines that arrived.
fn arrived(taker: &Taker) -> BTreeSet<usize> {
    taker
        .messages()
        .iter()
        .map(|message| message.rsplit_once(' ').unwrap().1.parse().unwrap())
        .collect()
}

/// The numbers of the lines that rsyslog has handed to TCP: what it writes to a file after that. Lines that it had only read when it was killed
/// are its own loss, and it may send them late.
fn sent(place: &Place) -> BTreeSet<usize> {
    let text = fs::read_to_string(place.root.path().join("sent")).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let numbers = whole.lines().filter_map(|line| line.rsplit_once(' '));
    numbers.map(|(_, number)| number.parse().unwrap()).collect()
}

#[test]
fn every_line_that_a_killed_rsyslog_has_sent_arrives() {
    if !is_here() {
        return;
    }
    const LINES: usize = 6000;
    let (mut place, taker) = (Place::new(), Arc::new(Taker::default()));
    place.settings.client_roots = Some(place.root.path().join("ca.pem"));
    let receiver = place.start(&taker, system_disk());
    let port = receiver.address().port();
    let log = place.root.path().join("log");
    let append = |numbers: std::ops::Range<usize>| {
        let text: String = numbers.map(|number| format!("line {number}\n")).collect();
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    append(0..LINES / 3);
    let sender = Rsyslog::start(&place, port);
    // Killed while it sends.
    wait("the first lines", || receiver.status().lines > 100);
    sender.kill(&place);
    append(LINES / 3..2 * LINES / 3);
    let sender = Rsyslog::start(&place, port);
    wait("two thirds", || arrived(&taker).len() > LINES / 2);
    sender.kill(&place);
    append(2 * LINES / 3..LINES);
    let _sender = Rsyslog::start(&place, port);
    wait("the last line", || sent(&place).contains(&(LINES - 1)));
    wait("all that was sent", || {
        sent(&place).is_subset(&arrived(&taker))
    });
    assert!(sent(&place).len() > LINES / 2);
    assert_eq!(receiver.status().trouble, None);
}
