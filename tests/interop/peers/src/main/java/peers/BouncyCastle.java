package peers;

import java.io.ByteArrayInputStream;
import java.security.MessageDigest;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerId;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.SignerInformationVerifier;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.tsp.TimeStampResponse;
import org.bouncycastle.tsp.TimeStampToken;
import org.bouncycastle.tsp.ers.ERSByteData;
import org.bouncycastle.tsp.ers.ERSData;
import org.bouncycastle.tsp.ers.ERSDataGroup;
import org.bouncycastle.tsp.ers.ERSEvidenceRecord;
import org.bouncycastle.util.Store;

/** What Bouncy Castle says of our evidence. Each answer is {@code accepted}, and {@code reason} where it is not. */
final class BouncyCastle {
    private static final ASN1ObjectIdentifier ARCHIVE_TIME_STAMP_V3 = new ASN1ObjectIdentifier("0.4.0.1733.2.4");

    private BouncyCastle() {
    }

    /** {@code bc-token token= data= trust=}: signature, certificate identifier, imprint, path at the time of the token. */
    static Map<String, Object> token(Request request) throws Exception {
        TimeStampToken token = readToken(request.bytes("token"));
        List<TrustAnchor> anchors = anchors(request);
        return judged(() -> {
            checkToken(token, anchors);
            checkImprint(token, request.bytes("data"));
        });
    }

    /**
     * {@code bc-record record= data=... trust= [time=]}: all that Bouncy Castle checks of an evidence record. The files are one
     * data object group, in which each must be found; {@code single} judges one file alone, as a member.
     */
    static Map<String, Object> record(Request request) throws Exception {
        List<TrustAnchor> anchors = anchors(request);
        List<ERSData> objects = new ArrayList<>();
        for (byte[] bytes : request.allBytes("data")) {
            objects.add(new ERSByteData(bytes));
        }
        ERSData data = objects.size() == 1 ? objects.get(0) : new ERSDataGroup(objects);
        return judged(() -> checkRecord(request.bytes("record"), data, anchors, request.time()));
    }

    /** All that Bouncy Castle checks of a record, and the path of the newest token's certificate where anchors are given. */
    static void checkRecord(byte[] bytes, ERSData data, List<TrustAnchor> anchors, Date time) throws Exception {
        ERSEvidenceRecord record = new ERSEvidenceRecord(bytes, Digests.provider());
        record.validatePresent(data, time);
        X509CertificateHolder holder = record.getSigningCertificate();
        record.validate(verifier(holder));
        if (anchors != null) {
            List<TimeStampToken> tokens = tokens(record);
            TimeStampToken last = tokens.get(tokens.size() - 1);
            checkPath(holder, last.getCertificates(), anchors, last);
        }
    }

    /** {@code bc-cades signature= data= trust=}: the signature, and the signature of each time-stamp token in it. */
    static Map<String, Object> cades(Request request) throws Exception {
        List<TrustAnchor> anchors = anchors(request);
        Map<String, Object> answer = new LinkedHashMap<>();
        CMSProcessableByteArray content = new CMSProcessableByteArray(request.bytes("data"));
        CMSSignedData signature = new CMSSignedData(content, request.bytes("signature"));
        SignerInformation signer = signature.getSignerInfos().getSigners().iterator().next();
        List<TimeStampToken> signatureStamps = stamps(signer, PKCSObjectIdentifiers.id_aa_signatureTimeStampToken);
        List<TimeStampToken> archiveStamps = stamps(signer, ARCHIVE_TIME_STAMP_V3);
        answer.putAll(judged(() -> {
            X509CertificateHolder holder = named(signature.getCertificates(), signer.getSID());
            if (!signer.verify(verifier(holder))) {
                throw new SecurityException("the signature is not that of the data");
            }
            for (TimeStampToken stamp : signatureStamps) {
                checkToken(stamp, anchors);
                checkImprint(stamp, signer.getSignature());
            }
            for (TimeStampToken stamp : archiveStamps) {
                checkToken(stamp, anchors);
            }
        }));
        answer.put("signature_time_stamps", signatureStamps.size());
        answer.put("archive_time_stamps", archiveStamps.size());
        return answer;
    }

    static TimeStampToken readToken(byte[] bytes) throws Exception {
        try {
            return new TimeStampToken(ContentInfo.getInstance(bytes));
        } catch (IllegalArgumentException notAToken) {
            return new TimeStampResponse(bytes).getTimeStampToken();
        }
    }

    private interface Check {
        void run() throws Exception;
    }

    private static Map<String, Object> judged(Check check) {
        try {
            check.run();
            return Map.of("accepted", true);
        } catch (Exception failure) {
            return Map.of("accepted", false, "reason", Json.reason(failure));
        }
    }

    /** Signature and RFC 3161 rules by {@code TimeStampToken.validate}, then the path of the certificate. */
    private static void checkToken(TimeStampToken token, List<TrustAnchor> anchors) throws Exception {
        X509CertificateHolder holder = named(token.getCertificates(), token.getSID());
        token.validate(verifier(holder));
        checkPath(holder, token.getCertificates(), anchors, token);
    }

    private static void checkImprint(TimeStampToken token, byte[] data) throws Exception {
        String algorithm = token.getTimeStampInfo().getMessageImprintAlgOID().getId();
        byte[] digest = MessageDigest.getInstance(algorithm, "BC").digest(data);
        if (!Arrays.equals(digest, token.getTimeStampInfo().getMessageImprintDigest())) {
            throw new SecurityException("the imprint is not that of the data");
        }
    }

    /** The path from the certificate to an anchor at the time of the token; revocation is not asked for, nobody publishes any. */
    private static void checkPath(X509CertificateHolder leaf, Store<X509CertificateHolder> others, List<TrustAnchor> anchors,
                                  TimeStampToken token) throws Exception {
        Date time = token.getTimeStampInfo().getGenTime();
        JcaX509CertificateConverter converter = new JcaX509CertificateConverter().setProvider("BC");
        List<X509Certificate> chain = new ArrayList<>(List.of(converter.getCertificate(leaf)));
        Set<X509CertificateHolder> used = new HashSet<>(Set.of(leaf));
        for (boolean grown = true; grown;) {
            grown = false;
            X509Certificate last = chain.get(chain.size() - 1);
            for (X509CertificateHolder other : others.getMatches(null)) {
                X509Certificate next = converter.getCertificate(other);
                boolean issuer = next.getSubjectX500Principal().equals(last.getIssuerX500Principal());
                boolean anchor = anchors.stream().anyMatch(a -> next.equals(a.getTrustedCert()));
                if (!grown && issuer && !anchor && used.add(other)) {
                    chain.add(next);
                    grown = true;
                }
            }
        }
        PKIXParameters parameters = new PKIXParameters(new HashSet<>(anchors));
        parameters.setRevocationEnabled(false);
        parameters.setDate(time);
        CertPath path = CertificateFactory.getInstance("X.509", "BC").generateCertPath(chain);
        CertPathValidator.getInstance("PKIX", "BC").validate(path, parameters);
    }

    @SuppressWarnings("unchecked")
    private static X509CertificateHolder named(Store<X509CertificateHolder> certificates, SignerId signer) {
        for (Object found : certificates.getMatches(signer)) {
            return (X509CertificateHolder) found;
        }
        throw new SecurityException("the certificate of the signer is not in the structure");
    }

    private static SignerInformationVerifier verifier(X509CertificateHolder holder) throws Exception {
        return new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(holder);
    }

    private static List<TimeStampToken> tokens(ERSEvidenceRecord record) throws Exception {
        List<TimeStampToken> tokens = new ArrayList<>();
        for (var chain : record.toASN1Structure().getArchiveTimeStampSequence().getArchiveTimeStampChains()) {
            for (var stamp : chain.getArchiveTimestamps()) {
                tokens.add(new TimeStampToken(stamp.getTimeStamp()));
            }
        }
        return tokens;
    }

    private static List<TimeStampToken> stamps(SignerInformation signer, ASN1ObjectIdentifier type) throws Exception {
        List<TimeStampToken> stamps = new ArrayList<>();
        if (signer.getUnsignedAttributes() == null) {
            return stamps;
        }
        var found = signer.getUnsignedAttributes().getAll(type);
        for (int i = 0; i < found.size(); i++) {
            for (var value : Attribute.getInstance(found.get(i)).getAttributeValues()) {
                stamps.add(new TimeStampToken(ContentInfo.getInstance(value)));
            }
        }
        return stamps;
    }

    static List<TrustAnchor> anchors(Request request) throws Exception {
        List<TrustAnchor> anchors = new ArrayList<>();
        CertificateFactory certificates = CertificateFactory.getInstance("X.509", "BC");
        for (byte[] file : request.allBytes("trust")) {
            for (var certificate : certificates.generateCertificates(new ByteArrayInputStream(file))) {
                anchors.add(new TrustAnchor((X509Certificate) certificate, null));
            }
        }
        return anchors;
    }
}
