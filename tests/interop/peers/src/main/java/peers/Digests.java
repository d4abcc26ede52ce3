package peers;

import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/** Digest algorithms by the names that Java knows them under. */
final class Digests {
    private Digests() {
    }

    static ASN1ObjectIdentifier of(String name) {
        return switch (name) {
            case "SHA-256" -> NISTObjectIdentifiers.id_sha256;
            case "SHA-384" -> NISTObjectIdentifiers.id_sha384;
            case "SHA-512" -> NISTObjectIdentifiers.id_sha512;
            case "SHA3-512" -> NISTObjectIdentifiers.id_sha3_512;
            default -> throw new IllegalArgumentException("no such digest: " + name);
        };
    }

    static AlgorithmIdentifier identifier(String name) {
        return new AlgorithmIdentifier(of(name));
    }

    static DigestCalculatorProvider provider() throws Exception {
        return new JcaDigestCalculatorProviderBuilder().setProvider("BC").build();
    }
}
