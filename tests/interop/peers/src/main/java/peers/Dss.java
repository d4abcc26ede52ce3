package peers;

import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.EvidenceRecordWrapper;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.diagnostic.jaxb.XmlDigestMatcher;
import eu.europa.esig.dss.enumerations.Level;
import eu.europa.esig.dss.enumerations.TimestampType;
import eu.europa.esig.dss.evidencerecord.common.validation.DefaultEvidenceRecordValidator;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.policy.ValidationPolicy;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.policy.EtsiValidationPolicy;
import eu.europa.esig.dss.policy.ValidationPolicyFacade;
import eu.europa.esig.dss.policy.jaxb.BasicSignatureConstraints;
import eu.europa.esig.dss.policy.jaxb.CertificateConstraints;
import eu.europa.esig.dss.policy.jaxb.ConstraintsParameters;
import eu.europa.esig.dss.policy.jaxb.LevelConstraint;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.validation.CertificateVerifier;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.DocumentValidator;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import eu.europa.esig.dss.validation.timestamp.DetachedTimestampValidator;

/**
 * What EU DSS says of our evidence: its simple report, and from its diagnostic data what was found and intact.
 *
 * <p>Its own policy is kept, save that {@code policy=without-revocation} makes a warning of missing revocation data for
 * certificates of signers and authorities, and that {@code policy=permissive} looks neither at revocation nor at the age of
 * algorithms; nothing is fetched from a network in any case.
 */
final class Dss {
    private Dss() {
    }

    /** {@code dss-token token= data= trust= [time=] [policy=]} */
    static Map<String, Object> token(Request request) throws Exception {
        DSSDocument token = file(request.text("token"));
        DetachedTimestampValidator validator = new DetachedTimestampValidator(token, TimestampType.CONTENT_TIMESTAMP);
        validator.setTimestampedData(file(request.text("data")));
        return judge(validator, request);
    }

    /** {@code dss-record record= data=... trust= [time=] [policy=]} */
    static Map<String, Object> record(Request request) throws Exception {
        DocumentValidator validator = DefaultEvidenceRecordValidator.fromDocument(file(request.text("record")));
        validator.setDetachedContents(files(request, "data"));
        return judge(validator, request);
    }

    /** {@code dss-cades signature= data= …}, and {@code dss-asic file= …} for containers */
    static Map<String, Object> signed(Request request) throws Exception {
        String name = request.has("file") ? "file" : "signature";
        DocumentValidator validator = SignedDocumentValidator.fromDocument(file(request.text(name)));
        if (request.has("data")) {
            validator.setDetachedContents(files(request, "data"));
        }
        return judge(validator, request);
    }

    static CertificateVerifier verifier(Request request) throws Exception {
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        CertificateFactory certificates = CertificateFactory.getInstance("X.509");
        for (byte[] file : request.allBytes("trust")) {
            for (var certificate : certificates.generateCertificates(new ByteArrayInputStream(file))) {
                trusted.addCertificate(new CertificateToken((X509Certificate) certificate));
            }
        }
        // No source for CRLs, OCSP or issuers: what is not in the file cannot be had.
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setAIASource(null);
        verifier.setTrustedCertSources(trusted);
        return verifier;
    }

    private static Map<String, Object> judge(DocumentValidator validator, Request request) throws Exception {
        return answer(reports(validator, request));
    }

    static Reports reports(DocumentValidator validator, Request request) throws Exception {
        validator.setCertificateVerifier(verifier(request));
        validator.setValidationTime(request.time());
        validator.setEnableEtsiValidationReport(false);
        return validator.validateDocument(policy(request.text("policy", "default")));
    }

    private static ValidationPolicy policy(String name) throws Exception {
        ConstraintsParameters parameters;
        try (var file = ValidationPolicyFacade.class.getResourceAsStream("/policy/constraint.xml")) {
            parameters = ValidationPolicyFacade.newFacade().unmarshall(file);
        }
        if (name.equals("without-revocation")) {
            allowMissingRevocation(parameters.getSignatureConstraints().getBasicSignatureConstraints());
            allowMissingRevocation(parameters.getTimestamp().getBasicSignatureConstraints());
        } else if (name.equals("permissive")) {
            LevelConstraint ignored = new LevelConstraint();
            ignored.setLevel(Level.IGNORE);
            List.of(parameters.getSignatureConstraints(), parameters.getCounterSignatureConstraints())
                .forEach(signatures -> ignoreRevocation(signatures.getBasicSignatureConstraints(), ignored));
            ignoreRevocation(parameters.getTimestamp().getBasicSignatureConstraints(), ignored);
            parameters.getCryptographic().setLevel(Level.IGNORE);
            parameters.getCryptographic().getAlgoExpirationDate().setLevel(Level.IGNORE);
            parameters.getCryptographic().getAlgoExpirationDate().setLevelAfterUpdate(Level.IGNORE);
        } else if (!name.equals("default")) {
            throw new IllegalArgumentException("no such policy: " + name);
        }
        return new EtsiValidationPolicy(parameters);
    }

    private static void allowMissingRevocation(BasicSignatureConstraints constraints) {
        LevelConstraint warning = new LevelConstraint();
        warning.setLevel(Level.WARN);
        CertificateConstraints signer = constraints.getSigningCertificate();
        signer.setRevocationDataAvailable(warning);
        signer.setAcceptableRevocationDataFound(warning);
    }

    private static void ignoreRevocation(BasicSignatureConstraints constraints, LevelConstraint ignored) {
        for (CertificateConstraints certificate : List.of(constraints.getSigningCertificate(), constraints.getCACertificate())) {
            certificate.setRevocationDataAvailable(ignored);
            certificate.setAcceptableRevocationDataFound(ignored);
            certificate.setNotRevoked(ignored);
            certificate.setNotOnHold(ignored);
        }
    }

    private static Map<String, Object> answer(Reports reports) {
        SimpleReport simple = reports.getSimpleReport();
        DiagnosticData found = reports.getDiagnosticData();
        List<Object> signatures = new ArrayList<>();
        for (SignatureWrapper signature : found.getSignatures()) {
            Map<String, Object> facts = judgement(simple, signature.getId());
            facts.put("level", String.valueOf(signature.getSignatureFormat()));
            facts.put("intact", signature.isSignatureIntact());
            facts.put("time_stamps", stamps(simple, signature.getTimestampList()));
            signatures.add(facts);
        }
        List<Object> records = new ArrayList<>();
        for (EvidenceRecordWrapper record : found.getEvidenceRecords()) {
            Map<String, Object> facts = judgement(simple, record.getId());
            facts.put("objects", matchers(record.getDigestMatchers()));
            facts.put("time_stamps", stamps(simple, record.getTimestampList()));
            records.add(facts);
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("signatures", signatures);
        answer.put("records", records);
        answer.put("time_stamps", stamps(simple, found.getNonEvidenceRecordTimestamps()));
        return answer;
    }

    private static List<Object> stamps(SimpleReport simple, List<TimestampWrapper> stamps) {
        List<Object> list = new ArrayList<>();
        for (TimestampWrapper stamp : stamps) {
            Map<String, Object> facts = judgement(simple, stamp.getId());
            facts.put("type", String.valueOf(stamp.getType()));
            facts.put("time", stamp.getProductionTime().toInstant().toString());
            facts.put("found", stamp.isMessageImprintDataFound());
            facts.put("intact", stamp.isMessageImprintDataIntact());
            facts.put("signature_valid", stamp.isSignatureValid());
            facts.put("matchers", matchers(stamp.getDigestMatchers()));
            if (stamp.getAtsHashIndexVersion() != null) {
                facts.put("hash_index", stamp.getAtsHashIndexVersion().toString());
                facts.put("hash_index_valid", stamp.isAtsHashIndexValid());
                facts.put("hash_index_messages", stamp.getAtsHashIndexValidationMessages());
            }
            list.add(facts);
        }
        return list;
    }

    static Map<String, Object> judgement(SimpleReport simple, String id) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("indication", String.valueOf(simple.getIndication(id)));
        facts.put("sub_indication", simple.getSubIndication(id) == null ? null : simple.getSubIndication(id).toString());
        facts.put("errors", texts(simple.getAdESValidationErrors(id)));
        facts.put("warnings", texts(simple.getAdESValidationWarnings(id)));
        return facts;
    }

    private static List<Object> matchers(List<XmlDigestMatcher> matchers) {
        List<Object> list = new ArrayList<>();
        for (XmlDigestMatcher matcher : matchers) {
            Map<String, Object> facts = new LinkedHashMap<>();
            facts.put("type", String.valueOf(matcher.getType()));
            facts.put("name", matcher.getDocumentName());
            facts.put("found", matcher.isDataFound());
            facts.put("intact", matcher.isDataIntact());
            list.add(facts);
        }
        return list;
    }

    private static List<Object> texts(List<Message> messages) {
        List<Object> texts = new ArrayList<>();
        messages.forEach(message -> texts.add(message.getValue()));
        return texts;
    }

    private static List<DSSDocument> files(Request request, String name) {
        return new ArrayList<>(request.all(name).stream().map(Dss::file).toList());
    }

    static DSSDocument file(String path) {
        return new FileDocument(Path.of(path).toFile());
    }
}
