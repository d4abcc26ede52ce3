//! Evidence records in XML (RFC 6283).

use formats::tsp::TimeStampToken;
use formats::x509::Certificate;
use formats::xmlers::{
    CryptographicInformation, InformationKind, XmlArchiveTimeStamp, XmlArchiveTimeStampChain,
    XmlEvidenceRecord, XmlToken,
};

use super::{HASHES_SHOWN_MAX, Node, certificate, token};

pub(super) fn nodes(record: &XmlEvidenceRecord) -> Vec<Node> {
    let mut nodes = vec![Node::leaf("version", "1.0")];
    if let Some(kind) = &record.encryption {
        nodes.push(Node::leaf("encryption information", kind));
    }
    let supporting = record.supporting_information.iter();
    nodes.extend(supporting.map(|kind| Node::leaf("supporting information", kind)));
    let chains = record.chains.iter().enumerate();
    nodes.extend(chains.map(|(number, content)| chain(number, content)));
    nodes
}

fn chain(number: usize, chain: &XmlArchiveTimeStampChain) -> Node {
    let digest = chain.algorithm().map_or_else(
        || chain.digest_method.clone(),
        |known| known.name().to_owned(),
    );
    let stamps = chain.time_stamps.iter().enumerate();
    let stamps = stamps.map(|(position, stamp)| {
        Node::new(format!("time-stamp[{position}]")).with_all(archive_time_stamp(stamp))
    });
    Node::new(format!("chain[{number}]"))
        .with(Node::leaf("digest algorithm", digest))
        .with(Node::leaf("canonicalization", &chain.canonicalization.uri))
        .with_all(stamps)
}

fn archive_time_stamp(stamp: &XmlArchiveTimeStamp) -> Vec<Node> {
    let mut nodes = Vec::new();
    if stamp.attributes > 0 {
        nodes.push(Node::leaf("attributes", stamp.attributes));
    }
    match &stamp.hash_tree {
        None => nodes.push(Node::leaf("hash tree", "none")),
        Some(lists) => {
            let lists = lists.iter().enumerate().map(|(number, list)| {
                let shown = list.values.iter().take(HASHES_SHOWN_MAX);
                let count = format!("{} hashes", list.values.len());
                Node::leaf(format!("list[{number}]"), count)
                    .with_all(shown.map(|hash| Node::new(hex::encode(hash))))
            });
            nodes.push(Node::new("hash tree").with_all(lists));
        }
    }
    nodes.push(match &stamp.token {
        XmlToken::Rfc3161(bytes) => match TimeStampToken::parse(bytes) {
            Ok(parsed) => Node::new("token").with_all(token(&parsed)),
            Err(error) => Node::leaf("token not readable", error),
        },
        XmlToken::Other(kind) => Node::leaf("token of another type", kind),
    });
    nodes.extend(stamp.information.iter().map(information));
    nodes
}

fn information(information: &CryptographicInformation) -> Node {
    let name = match information.kind {
        InformationKind::Certificate => {
            if let Ok(parsed) = Certificate::parse(&information.bytes) {
                return certificate(&parsed);
            }
            "certificate"
        }
        InformationKind::Crl => "CRL",
        InformationKind::Ocsp => "OCSP response",
        InformationKind::Scvp => "SCVP response",
        InformationKind::Other => "other validation material",
    };
    Node::leaf(name, format!("{} bytes", information.bytes.len()))
}
