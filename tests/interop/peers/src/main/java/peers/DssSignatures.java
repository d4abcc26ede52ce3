package peers;

import java.io.ByteArrayInputStream;
import java.security.Signature;
import java.util.List;
import java.util.Map;

import eu.europa.esig.dss.cades.CAdESSignatureParameters;
import eu.europa.esig.dss.cades.signature.CAdESService;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.enumerations.SignaturePackaging;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.ToBeSigned;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.spi.x509.tsp.KeyEntityTSPSource;

/** Detached CAdES signatures of EU DSS's make, with the keys of an {@link Authority}. */
final class DssSignatures {
    private DssSignatures() {
    }

    /** {@code dss-sign authority= data= level=B|T|LT|LTA out= [time=]} */
    static Map<String, Object> sign(Request request) throws Exception {
        Authority authority = Authority.known(request.text("authority"));
        CAdESService service = service(authority, request);
        CAdESSignatureParameters parameters = parameters(authority, request);
        DSSDocument data = Dss.file(request.text("data"));
        ToBeSigned signed = service.getDataToSign(data, parameters);
        Signature signature = Signature.getInstance("SHA256withECDSA", "BC");
        signature.initSign(authority.signerKey.getPrivate());
        signature.update(signed.getBytes());
        SignatureValue value = new SignatureValue(SignatureAlgorithm.ECDSA_SHA256, signature.sign());
        service.signDocument(data, parameters, value).save(request.text("out"));
        return Map.of("made", request.text("out"));
    }

    /** {@code dss-extend authority= signature= data= level= out= [time=]}: raises a signature, or adds an archive time-stamp. */
    static Map<String, Object> extend(Request request) throws Exception {
        Authority authority = Authority.known(request.text("authority"));
        CAdESSignatureParameters parameters = parameters(authority, request);
        parameters.setDetachedContents(List.of(Dss.file(request.text("data"))));
        DSSDocument signature = Dss.file(request.text("signature"));
        service(authority, request).extendDocument(signature, parameters).save(request.text("out"));
        return Map.of("made", request.text("out"));
    }

    private static CAdESSignatureParameters parameters(Authority authority, Request request) {
        CAdESSignatureParameters parameters = new CAdESSignatureParameters();
        parameters.setSignatureLevel(SignatureLevel.valueByName("CAdES-BASELINE-" + request.text("level")));
        parameters.setSignaturePackaging(SignaturePackaging.DETACHED);
        parameters.setDigestAlgorithm(DigestAlgorithm.SHA256);
        parameters.setSigningCertificate(new CertificateToken(authority.signer));
        parameters.setCertificateChain(new CertificateToken(authority.signer), new CertificateToken(authority.root));
        parameters.bLevel().setSigningDate(request.time());
        return parameters;
    }

    private static CAdESService service(Authority authority, Request request) throws Exception {
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        trusted.addCertificate(new CertificateToken(authority.root));
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setAIASource(null);
        verifier.setTrustedCertSources(trusted);
        verifier.setCrlSource(new ExternalResourcesCRLSource(new ByteArrayInputStream(authority.revoked.getEncoded())));
        CAdESService service = new CAdESService(verifier);
        List<CertificateToken> chain =
            List.of(new CertificateToken(authority.certificate), new CertificateToken(authority.root));
        KeyEntityTSPSource stamps =
            new KeyEntityTSPSource(authority.key.getPrivate(), new CertificateToken(authority.certificate), chain);
        stamps.setTsaPolicy("1.3.6.1.4.1.32473.2.1");
        stamps.setProductionTime(request.time());
        service.setTspSource(stamps);
        return service;
    }
}
