package peers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.Security;
import java.util.Map;

import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * Reads one command a line and answers one JSON line each, until its input ends. A command is a word and, each after a tab,
 * {@code name=value}; a name may come several times. A peer that cannot judge is an answer too: {@code {"error": "..."}}.
 */
public final class Main {
    private Main() {
    }

    public static void main(String[] arguments) throws IOException {
        Security.addProvider(new BouncyCastleProvider());
        // Whatever a library prints must not come between the answers.
        PrintStream answers = System.out;
        System.setOut(System.err);
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            byte[] answer = (Json.text(answer(line)) + "\n").getBytes(StandardCharsets.UTF_8);
            answers.write(answer);
            answers.flush();
        }
    }

    private static Map<String, Object> answer(String line) {
        try {
            return run(Request.parse(line));
        } catch (Exception | LinkageError failure) {
            return Map.of("error", Json.reason(failure));
        }
    }

    private static Map<String, Object> run(Request request) throws Exception {
        switch (request.command()) {
            case "versions": return Versions.all();
            case "authority": return Authority.make(request);
            case "stamp": return Authority.stamp(request);
            case "reply": return Authority.reply(request);
            case "bc-token": return BouncyCastle.token(request);
            case "bc-record": return BouncyCastle.record(request);
            case "bc-cades": return BouncyCastle.cades(request);
            case "bc-make-record": return BouncyCastleRecords.make(request);
            case "bc-renew-timestamp": return BouncyCastleRecords.renewTimeStamp(request);
            case "bc-renew-hash": return BouncyCastleRecords.renewHash(request);
            case "bc-rate": return BouncyCastleRate.measure(request);
            case "dss-token": return Dss.token(request);
            case "dss-record": return Dss.record(request);
            case "dss-cades": return Dss.signed(request);
            case "dss-asic": return Dss.signed(request);
            case "dss-vector": return DssVectors.judge(request);
            case "dss-report": return EtsiReport.read(request);
            case "dss-sign": return DssSignatures.sign(request);
            case "dss-extend": return DssSignatures.extend(request);
            default: throw new IllegalArgumentException("no such command: " + request.command());
        }
    }
}
