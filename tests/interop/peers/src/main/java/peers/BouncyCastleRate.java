package peers;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.TrustAnchor;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import org.bouncycastle.tsp.ers.ERSByteData;
import org.bouncycastle.tsp.ers.ERSData;
import org.bouncycastle.tsp.ers.ERSDataGroup;

/** How many evidence records Bouncy Castle judges in a second, once the virtual machine is warm. */
final class BouncyCastleRate {
    /** The virtual machine compiles what it has seen often enough. */
    private static final int WARM_ROUNDS = 5000;

    private record Item(byte[] record, List<byte[]> objects) {
    }

    private BouncyCastleRate() {
    }

    /**
     * {@code bc-rate folder= trust= seconds= paths=yes|no}: the records {@code N.ers} of a folder, each over the group of {@code N.a} and
     * {@code N.b}, judged over and over by one thread.
     */
    static Map<String, Object> measure(Request request) throws Exception {
        List<TrustAnchor> anchors = BouncyCastle.anchors(request);
        boolean paths = request.text("paths").equals("yes");
        List<Item> items = items(request.path("folder"));
        Date now = request.time();
        for (int i = 0; i < WARM_ROUNDS; i++) {
            judge(items.get(i % items.size()), anchors, paths, now);
        }
        long start = System.nanoTime();
        long end = start + Long.parseLong(request.text("seconds")) * 1_000_000_000L;
        long done = 0;
        while (System.nanoTime() < end) {
            judge(items.get((int) (done % items.size())), anchors, paths, now);
            done++;
        }
        return Map.of("per_second", done * 1_000_000_000L / (System.nanoTime() - start));
    }

    private static void judge(Item item, List<TrustAnchor> anchors, boolean paths, Date now) throws Exception {
        // Anew each time: these objects keep the digests that they have computed.
        List<ERSData> objects = new ArrayList<>();
        item.objects().forEach(bytes -> objects.add(new ERSByteData(bytes)));
        BouncyCastle.checkRecord(item.record(), new ERSDataGroup(objects), paths ? anchors : null, now);
    }

    private static List<Item> items(Path folder) throws Exception {
        List<Item> items = new ArrayList<>();
        List<Path> records;
        try (Stream<Path> files = Files.list(folder)) {
            records = files.filter(path -> path.toString().endsWith(".ers")).sorted().toList();
        }
        for (Path path : records) {
            String stem = path.toString().substring(0, path.toString().length() - ".ers".length());
            List<byte[]> objects = new ArrayList<>();
            for (String ending : List.of(".a", ".b")) {
                objects.add(Files.readAllBytes(Path.of(stem + ending)));
            }
            items.add(new Item(Files.readAllBytes(path), objects));
        }
        return items;
    }
}
