package peers;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.CMSAttributes;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509CRLHolder;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.cms.DefaultSignedAttributeTableGenerator;
import org.bouncycastle.cms.SignerInfoGenerator;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoGeneratorBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.DigestCalculator;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.tsp.TSPAlgorithms;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampRequestGenerator;
import org.bouncycastle.tsp.TimeStampResponse;
import org.bouncycastle.tsp.TimeStampResponseGenerator;
import org.bouncycastle.tsp.TimeStampTokenGenerator;
import org.bouncycastle.util.CollectionStore;

/**
 * A root, an RFC 3161 authority and a signer under it, with a list of revoked certificates that names none. All of
 * Bouncy Castle's make; they live as long as this program and are found by the name of the authority.
 */
final class Authority {
    private static final Map<String, Authority> KNOWN = new HashMap<>();
    private static final ASN1ObjectIdentifier POLICY = new ASN1ObjectIdentifier("1.3.6.1.4.1.32473.2.1");
    private static final SecureRandom RANDOM = new SecureRandom();

    final X509Certificate root;
    final X509Certificate certificate;
    final X509Certificate signer;
    final KeyPair key;
    final KeyPair signerKey;
    final X509CRLHolder revoked;
    private final String algorithm;
    private final boolean listInTokens;

    private Authority(Request request) throws Exception {
        algorithm = request.text("algorithm", "EC");
        listInTokens = request.text("list", "apart").equals("in-tokens");
        String name = request.text("name");
        Date from = request.time("from");
        Date to = request.time("to");
        KeyPair rootKey = keyPair();
        X500Name rootName = new X500Name("CN=Peer Root " + name);
        root = issue(rootName, rootKey, rootName, rootKey, from, to, Purpose.ROOT);
        key = keyPair();
        certificate = issue(rootName, rootKey, new X500Name("CN=Peer TSA " + name), key, from, to, Purpose.TIME_STAMPING);
        signerKey = keyPair();
        signer = issue(rootName, rootKey, new X500Name("CN=Peer Signer " + name), signerKey, from, to, Purpose.SIGNING);
        X509v2CRLBuilder list = new X509v2CRLBuilder(rootName, from);
        list.setNextUpdate(to);
        list.addExtension(Extension.authorityKeyIdentifier, false,
            new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(rootKey.getPublic()));
        revoked = list.build(contentSigner(rootKey));
    }

    /**
     * {@code authority name= from= to= root=OUT [crl=OUT] [list=in-tokens] [algorithm=]}: all certificates hold from one instant to
     * the other. {@code in-tokens} puts the list of revoked certificates into each token. The algorithm is EC (P-256, the usual one),
     * EC-384, RSA, ML-DSA-44, ML-DSA-65 or ML-DSA-87.
     */
    static Map<String, Object> make(Request request) throws Exception {
        Authority made = new Authority(request);
        KNOWN.put(request.text("name"), made);
        Files.writeString(request.path("root"), pem(made.root));
        if (request.has("crl")) {
            Files.write(request.path("crl"), made.revoked.getEncoded());
        }
        return Map.of("made", request.text("name"));
    }

    /** {@code stamp authority= digest= data=|imprint=HEX out= [time=]}: a token over one file, or over a digest. */
    static Map<String, Object> stamp(Request request) throws Exception {
        byte[] imprint = request.has("imprint")
            ? HexFormat.of().parseHex(request.text("imprint"))
            : MessageDigest.getInstance(request.text("digest")).digest(request.bytes("data"));
        TimeStampRequest asked = requests().generate(Digests.of(request.text("digest")), imprint, BigInteger.ONE);
        TimeStampResponse answer = known(request.text("authority")).answer(asked, request.time());
        Files.write(request.path("out"), answer.getTimeStampToken().getEncoded());
        return Map.of("made", request.text("out"));
    }

    /** {@code reply authority= request= out= [time=]}: the answer to a TimeStampReq. */
    static Map<String, Object> reply(Request request) throws Exception {
        TimeStampRequest asked = new TimeStampRequest(request.bytes("request"));
        TimeStampResponse answer = known(request.text("authority")).answer(asked, request.time());
        Files.write(request.path("out"), answer.getEncoded());
        return Map.of("made", request.text("out"));
    }

    static Authority known(String name) {
        Authority found = KNOWN.get(name);
        if (found == null) {
            throw new IllegalArgumentException("no such authority: " + name);
        }
        return found;
    }

    static TimeStampRequestGenerator requests() {
        TimeStampRequestGenerator generator = new TimeStampRequestGenerator();
        generator.setCertReq(true);
        return generator;
    }

    TimeStampResponse answer(TimeStampRequest request, Date time) throws Exception {
        SignerInfoGenerator signing = new JcaSimpleSignerInfoGeneratorBuilder()
            .setProvider("BC")
            .setSignedAttributeGenerator(Authority::signedAttributes)
            .build(signatureAlgorithm(), key.getPrivate(), certificate);
        DigestCalculator forCertificate = Digests.provider().get(Digests.identifier("SHA-256"));
        TimeStampTokenGenerator tokens = new TimeStampTokenGenerator(signing, forCertificate, POLICY);
        tokens.addCertificates(new JcaCertStore(List.of(certificate, root)));
        if (listInTokens) {
            tokens.addCRLs(new CollectionStore<>(List.of(revoked)));
        }
        tokens.setAccuracySeconds(1);
        BigInteger serial = new BigInteger(64, RANDOM);
        return new TimeStampResponseGenerator(tokens, TSPAlgorithms.ALLOWED).generate(request, serial, time);
    }

    /** Without the time of signing: that would be the clock's, and not the time that the token states. */
    private static AttributeTable signedAttributes(Map<?, ?> parameters) {
        return new DefaultSignedAttributeTableGenerator().getAttributes(parameters).remove(CMSAttributes.signingTime);
    }

    private enum Purpose { ROOT, TIME_STAMPING, SIGNING }

    private X509Certificate issue(X500Name issuer, KeyPair issuerKey, X500Name subject, KeyPair key, Date from, Date to,
                                  Purpose purpose) throws Exception {
        BigInteger serial = new BigInteger(64, RANDOM).setBit(64);
        var builder = new JcaX509v3CertificateBuilder(issuer, serial, from, to, subject, key.getPublic());
        JcaX509ExtensionUtils extensions = new JcaX509ExtensionUtils();
        builder.addExtension(Extension.subjectKeyIdentifier, false, extensions.createSubjectKeyIdentifier(key.getPublic()));
        builder.addExtension(Extension.authorityKeyIdentifier, false,
            extensions.createAuthorityKeyIdentifier(issuerKey.getPublic()));
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(purpose == Purpose.ROOT));
        int usage = switch (purpose) {
            case ROOT -> KeyUsage.keyCertSign | KeyUsage.cRLSign;
            case TIME_STAMPING -> KeyUsage.digitalSignature;
            case SIGNING -> KeyUsage.digitalSignature | KeyUsage.nonRepudiation;
        };
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(usage));
        if (purpose == Purpose.TIME_STAMPING) {
            builder.addExtension(Extension.extendedKeyUsage, true, new ExtendedKeyUsage(KeyPurposeId.id_kp_timeStamping));
        }
        return new JcaX509CertificateConverter().setProvider("BC").getCertificate(builder.build(contentSigner(issuerKey)));
    }

    private ContentSigner contentSigner(KeyPair key) throws Exception {
        return new JcaContentSignerBuilder(signatureAlgorithm()).setProvider("BC").build(key.getPrivate());
    }

    private String signatureAlgorithm() {
        return switch (algorithm) {
            case "EC" -> "SHA256withECDSA";
            case "EC-384" -> "SHA384withECDSA";
            case "RSA" -> "SHA256withRSA";
            default -> algorithm;
        };
    }

    private KeyPair keyPair() throws Exception {
        boolean curve = algorithm.startsWith("EC");
        KeyPairGenerator generator = KeyPairGenerator.getInstance(curve ? "EC" : algorithm, "BC");
        if (curve) {
            generator.initialize(algorithm.equals("EC") ? 256 : 384);
        } else if (algorithm.equals("RSA")) {
            generator.initialize(2048);
        }
        return generator.generateKeyPair();
    }

    private static String pem(X509Certificate certificate) throws Exception {
        byte[] newLine = "\n".getBytes(StandardCharsets.US_ASCII);
        String body = Base64.getMimeEncoder(64, newLine).encodeToString(certificate.getEncoded());
        return "-----BEGIN CERTIFICATE-----\n" + body + "\n-----END CERTIFICATE-----\n";
    }
}
