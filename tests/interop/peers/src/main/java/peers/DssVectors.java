package peers;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.EvidenceRecordWrapper;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.diagnostic.jaxb.XmlDigestMatcher;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.DigestMatcherType;
import eu.europa.esig.dss.enumerations.TimestampType;
import eu.europa.esig.dss.evidencerecord.common.validation.DefaultEvidenceRecordValidator;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.DigestDocument;
import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.validation.DocumentValidator;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import eu.europa.esig.dss.validation.timestamp.DetachedTimestampValidator;

/** What EU DSS says of one file of other people's making, told in the same few words for every kind of evidence. */
final class DssVectors {
    private DssVectors() {
    }

    /**
     * {@code dss-vector kind=cades|asic|record|token file= [data=FILE...] [text=HEX...] [digests=ALG:HEX,ALG:HEX...] [trust=] time=
     * policy=}: a list of what DSS found, each with its indication, and whether everything under it was found and intact.
     */
    static Map<String, Object> judge(Request request) throws Exception {
        DSSDocument file = Dss.file(request.text("file"));
        List<DSSDocument> data = data(request);
        DocumentValidator validator = validator(request.text("kind"), file, data);
        Reports reports = Dss.reports(validator, request);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("objects", objects(reports));
        return answer;
    }

    private static DocumentValidator validator(String kind, DSSDocument file, List<DSSDocument> data) {
        DocumentValidator validator = switch (kind) {
            case "record" -> DefaultEvidenceRecordValidator.fromDocument(file);
            case "token" -> new DetachedTimestampValidator(file, TimestampType.CONTENT_TIMESTAMP);
            case "cades", "asic" -> SignedDocumentValidator.fromDocument(file);
            default -> throw new IllegalArgumentException("no such kind: " + kind);
        };
        if (validator instanceof DetachedTimestampValidator token) {
            if (!data.isEmpty()) {
                token.setTimestampedData(data.get(0));
            }
        } else if (!data.isEmpty()) {
            validator.setDetachedContents(data);
        }
        return validator;
    }

    private static List<DSSDocument> data(Request request) {
        List<DSSDocument> data = new ArrayList<>();
        request.all("data").forEach(path -> data.add(Dss.file(path)));
        request.all("text").forEach(hex -> data.add(new InMemoryDocument(HexFormat.of().parseHex(hex), "text")));
        for (String digests : request.all("digests")) {
            DigestDocument document = new DigestDocument();
            document.setName("digest");
            for (String digest : digests.split(",")) {
                int colon = digest.indexOf(':');
                DigestAlgorithm algorithm = DigestAlgorithm.forJavaName(digest.substring(0, colon));
                document.addDigest(algorithm, HexFormat.of().parseHex(digest.substring(colon + 1)));
            }
            data.add(document);
        }
        return data;
    }

    private static List<Object> objects(Reports reports) {
        SimpleReport simple = reports.getSimpleReport();
        DiagnosticData found = reports.getDiagnosticData();
        List<Object> objects = new ArrayList<>();
        for (SignatureWrapper signature : found.getSignatures()) {
            Map<String, Object> facts = facts(signature.isCounterSignature() ? "countersignature" : "signature", simple, signature.getId());
            matchers(facts, signature.getDigestMatchers());
            facts.put("level", String.valueOf(signature.getSignatureFormat()));
            facts.put("signature_intact", signature.isSignatureIntact());
            objects.add(facts);
        }
        for (EvidenceRecordWrapper record : found.getEvidenceRecords()) {
            Map<String, Object> facts = facts(record.isEmbedded() ? "embedded-record" : "record", simple, record.getId());
            matchers(facts, record.getDigestMatchers());
            objects.add(facts);
        }
        List<String> detached = simple.getTimestampIdList();
        for (TimestampWrapper stamp : found.getTimestampList()) {
            boolean alone = detached.contains(stamp.getId());
            Map<String, Object> facts = facts(alone ? "time-stamp" : "embedded-time-stamp", simple, stamp.getId());
            matchers(facts, stamp.getDigestMatchers());
            facts.put("type", String.valueOf(stamp.getType()));
            facts.put("imprint_found", stamp.isMessageImprintDataFound());
            facts.put("imprint_intact", stamp.isMessageImprintDataIntact());
            facts.put("signature_intact", stamp.isSignatureIntact());
            if (stamp.getAtsHashIndexVersion() != null) {
                facts.put("hash_index_valid", stamp.isAtsHashIndexValid());
            }
            objects.add(facts);
        }
        return objects;
    }

    private static Map<String, Object> facts(String what, SimpleReport simple, String id) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("what", what);
        facts.putAll(Dss.judgement(simple, id));
        return facts;
    }

    /** Whether all data was found and all found is intact. An orphan reference is a hash of somebody else's data, which nobody expects here. */
    private static void matchers(Map<String, Object> facts, List<XmlDigestMatcher> matchers) {
        boolean found = true;
        boolean intact = true;
        for (XmlDigestMatcher matcher : matchers) {
            if (matcher.getType() != DigestMatcherType.EVIDENCE_RECORD_ORPHAN_REFERENCE) {
                found &= matcher.isDataFound();
                intact &= !matcher.isDataFound() || matcher.isDataIntact();
            }
        }
        facts.put("data_found", found);
        facts.put("data_intact", intact);
    }
}
