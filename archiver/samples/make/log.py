"""One day of a small company's syslog server: 2,000 lines of RFC 5424."""

import base64
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

LINES = 2_000
JST = timezone(timedelta(hours=9))
START = datetime(2026, 11, 20, 0, 0, 0, tzinfo=JST)

# Addresses for documentation only: RFC 5737 and RFC 3849; names: RFC 2606.
GATEWAY, WEB, MAIL, FILES = ("gw01", "web01", "mail01", "file01")
DOMAIN = "mihon.example.co.jp"
INSIDE = [f"192.0.2.{number}" for number in range(11, 60)]
OUTSIDE = [f"198.51.100.{number}" for number in range(2, 250)] + [f"203.0.113.{number}" for number in range(2, 250)]
USERS = ["sato", "suzuki", "takahashi", "tanaka", "watanabe", "ito", "backup"]
PAGES = ["/", "/products/", "/products/a-100", "/contact", "/news/2026-11", "/css/site.css", "/favicon.ico", "/login"]

# Facilities and severities of RFC 5424 §6.2.1.
KERN, MAIL_FACILITY, DAEMON, AUTH, CRON, LOCAL0 = 0, 2, 3, 10, 9, 16
WARNING, NOTICE, INFO = 4, 5, 6


def write(folder: Path) -> None:
    generator = random.Random(20261120)
    times = sorted(moment(generator) for _ in range(LINES))
    lines = [line(generator, time, number) for number, time in enumerate(times, 1)]
    (folder / "system.log").write_text("".join(lines), encoding="utf-8", newline="\n")


def moment(generator: random.Random) -> datetime:
    """More in office hours than at night."""
    hour = generator.choices(range(24), [2] * 7 + [4, 9, 12, 12, 11, 7, 11, 12, 12, 11, 9, 6, 4, 3, 3, 2, 2])[0]
    return START + timedelta(hours=hour, microseconds=generator.randrange(3_600_000_000))


def line(generator: random.Random, time: datetime, number: int) -> str:
    kinds = [connection, web, web, web, mail, login, login, sudo, cron, share, share, blocked, service]
    priority, host, application, process, structured, message = generator.choice(kinds)(generator)
    stamp = time.isoformat(timespec="microseconds")
    meta = f'[meta sequenceId="{number}"]'
    return f"<{priority}>1 {stamp} {host}.{DOMAIN} {application} {process} - {meta}{structured} {message}\n"


def priority(facility: int, severity: int) -> int:
    return facility * 8 + severity


def process_id(generator: random.Random) -> int:
    return generator.randrange(700, 32_768)


def web(generator: random.Random):
    client = generator.choice(OUTSIDE)
    status = generator.choices([200, 304, 404, 301, 403], [70, 14, 9, 4, 3])[0]
    size = generator.randrange(0, 48_000) if status == 200 else 0
    page = generator.choice(PAGES)
    milliseconds = generator.randrange(2, 900)
    message = f'{client} "GET {page} HTTP/2.0" {status} {size} {milliseconds}ms'
    return priority(LOCAL0, INFO), WEB, "nginx", 1187, "", message


def mail(generator: random.Random):
    queue = f"{generator.randrange(16**10):010X}"
    user = generator.choice(USERS)
    relay = generator.choice(OUTSIDE)
    delay = generator.randrange(10, 400) / 100
    message = f"{queue}: to=<{user}@{DOMAIN}>, relay=relay.example.org[{relay}]:25, delay={delay:.2f}, dsn=2.0.0, status=sent (250 2.0.0 Ok)"
    return priority(MAIL_FACILITY, INFO), MAIL, "postfix/smtp", process_id(generator), "", message


def login(generator: random.Random):
    client, port = generator.choice(INSIDE), generator.randrange(32_768, 61_000)
    user = generator.choice(USERS)
    if generator.random() < 0.3:
        client, user = generator.choice(OUTSIDE), generator.choice(["root", "admin", "test", "oracle"])
        message = f"Failed password for invalid user {user} from {client} port {port} ssh2"
        return priority(AUTH, NOTICE), GATEWAY, "sshd", process_id(generator), "", message
    message = f"Accepted publickey for {user} from {client} port {port} ssh2: ED25519 SHA256:{fingerprint(generator)}"
    return priority(AUTH, INFO), generator.choice([GATEWAY, WEB, FILES]), "sshd", process_id(generator), "", message


def fingerprint(generator: random.Random) -> str:
    return base64.b64encode(generator.randbytes(32)).decode().rstrip("=")


def sudo(generator: random.Random):
    user = generator.choice(USERS[:3])
    command = generator.choice(["/usr/bin/systemctl restart nginx", "/usr/bin/journalctl -u smbd", "/usr/sbin/nft list ruleset", "/usr/bin/apt-get update"])
    message = f"{user} : TTY=pts/0 ; PWD=/home/{user} ; USER=root ; COMMAND={command}"
    return priority(AUTH, NOTICE), generator.choice([GATEWAY, WEB, FILES]), "sudo", process_id(generator), "", message


def cron(generator: random.Random):
    job = generator.choice(["/usr/lib/sysstat/debian-sa1 1 1", "/usr/local/sbin/backup-incremental", "test -x /usr/sbin/anacron"])
    return priority(CRON, INFO), generator.choice([FILES, MAIL]), "CRON", process_id(generator), "", f"(root) CMD ({job})"


def share(generator: random.Random):
    user, client = generator.choice(USERS), generator.choice(INSIDE)
    folder = generator.choice(["経理/請求書/2026年11月", "総務/契約書", "営業/見積", "共有/議事録"])
    act = generator.choice(["open", "open", "open", "rename", "unlink"])
    return priority(LOCAL0, INFO), FILES, "smbd_audit", process_id(generator), "", f"{user}|{client}|{act}|ok|/srv/share/{folder}"


def connection(generator: random.Random):
    message = f"conntrack: new tcp {generator.choice(INSIDE)}:{generator.randrange(32_768, 61_000)} -> {generator.choice(OUTSIDE)}:443"
    return priority(KERN, INFO), GATEWAY, "kernel", "-", "", message


def blocked(generator: random.Random):
    source = generator.choice(OUTSIDE)
    port = generator.choice([22, 23, 445, 3389, 5900, 8080])
    message = f"nft drop: IN=wan0 OUT= SRC={source} DST=192.0.2.1 LEN=60 TTL={generator.randrange(38, 60)} PROTO=TCP DPT={port} SYN"
    return priority(KERN, WARNING), GATEWAY, "kernel", "-", f'[origin ip="{source}"]', message


def service(generator: random.Random):
    unit = generator.choice(["certbot.service", "logrotate.service", "apt-daily.service", "fstrim.service"])
    act = generator.choice(["Starting", "Finished"])
    return priority(DAEMON, INFO), generator.choice([GATEWAY, WEB, MAIL, FILES]), "systemd", 1, "", f"{act} {unit}."
