package peers;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.bouncycastle.operator.DigestCalculator;
import org.bouncycastle.tsp.TimeStampResponse;
import org.bouncycastle.tsp.ers.ERSArchiveTimeStamp;
import org.bouncycastle.tsp.ers.ERSArchiveTimeStampGenerator;
import org.bouncycastle.tsp.ers.ERSByteData;
import org.bouncycastle.tsp.ers.ERSData;
import org.bouncycastle.tsp.ers.ERSDataGroup;
import org.bouncycastle.tsp.ers.ERSEvidenceRecord;
import org.bouncycastle.tsp.ers.ERSEvidenceRecordGenerator;

/** Evidence records of Bouncy Castle's make. */
final class BouncyCastleRecords {
    private BouncyCastleRecords() {
    }

    /**
     * {@code bc-make-record authority= digest= data=... [beside=...] out= [time=]}: a record of the group of the data files, whose
     * tree also holds the files beside them, each on its own.
     */
    static Map<String, Object> make(Request request) throws Exception {
        ERSArchiveTimeStampGenerator generator = new ERSArchiveTimeStampGenerator(calculator(request));
        ERSData data = data(request);
        generator.addData(data);
        for (byte[] other : request.allBytes("beside")) {
            generator.addData(new ERSByteData(other));
        }
        Authority authority = Authority.known(request.text("authority"));
        var asked = generator.generateTimeStampRequest(Authority.requests());
        TimeStampResponse answer = authority.answer(asked, request.time());
        ERSEvidenceRecordGenerator records = new ERSEvidenceRecordGenerator(Digests.provider());
        for (ERSArchiveTimeStamp stamp : generator.generateArchiveTimeStamps(answer)) {
            if (stamp.isContaining(data, request.time())) {
                return written(request, records.generate(stamp));
            }
        }
        throw new IllegalStateException("no archive time-stamp holds the data");
    }

    /** {@code bc-renew-timestamp record= authority= out= [time=]} */
    static Map<String, Object> renewTimeStamp(Request request) throws Exception {
        ERSEvidenceRecord record = new ERSEvidenceRecord(request.bytes("record"), Digests.provider());
        var asked = record.generateTimeStampRenewalRequest(Authority.requests());
        Authority authority = Authority.known(request.text("authority"));
        return written(request, record.renewTimeStamp(authority.answer(asked, request.time())));
    }

    /** {@code bc-renew-hash record= data=... digest= authority= out= [time=]} */
    static Map<String, Object> renewHash(Request request) throws Exception {
        ERSEvidenceRecord record = new ERSEvidenceRecord(request.bytes("record"), Digests.provider());
        var asked = record.generateHashRenewalRequest(calculator(request), data(request), Authority.requests());
        Authority authority = Authority.known(request.text("authority"));
        TimeStampResponse answer = authority.answer(asked, request.time());
        return written(request, record.renewHash(calculator(request), data(request), answer));
    }

    private static ERSData data(Request request) throws Exception {
        List<ERSData> objects = new ArrayList<>();
        for (byte[] bytes : request.allBytes("data")) {
            objects.add(new ERSByteData(bytes));
        }
        return objects.size() == 1 ? objects.get(0) : new ERSDataGroup(objects);
    }

    private static DigestCalculator calculator(Request request) throws Exception {
        return Digests.provider().get(Digests.identifier(request.text("digest")));
    }

    private static Map<String, Object> written(Request request, ERSEvidenceRecord record) throws Exception {
        Path out = request.path("out");
        Files.write(out, record.getEncoded());
        return Map.of("made", out);
    }
}
