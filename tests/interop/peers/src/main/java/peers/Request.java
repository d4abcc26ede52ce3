package peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One command line. */
record Request(String command, Map<String, List<String>> values) {
    static Request parse(String line) {
        String[] parts = line.split("\t");
        Map<String, List<String>> values = new HashMap<>();
        for (int i = 1; i < parts.length; i++) {
            int equals = parts[i].indexOf('=');
            if (equals < 0) {
                throw new IllegalArgumentException("not name=value: " + parts[i]);
            }
            values.computeIfAbsent(parts[i].substring(0, equals), name -> new ArrayList<>())
                .add(parts[i].substring(equals + 1));
        }
        return new Request(parts[0], values);
    }

    boolean has(String name) {
        return values.containsKey(name);
    }

    List<String> all(String name) {
        return values.getOrDefault(name, List.of());
    }

    String text(String name) {
        List<String> found = all(name);
        if (found.size() != 1) {
            throw new IllegalArgumentException(command + " wants one " + name + ", not " + found.size());
        }
        return found.get(0);
    }

    String text(String name, String otherwise) {
        return has(name) ? text(name) : otherwise;
    }

    Path path(String name) {
        return Path.of(text(name));
    }

    byte[] bytes(String name) throws IOException {
        return Files.readAllBytes(path(name));
    }

    List<byte[]> allBytes(String name) throws IOException {
        List<byte[]> files = new ArrayList<>();
        for (String file : all(name)) {
            files.add(Files.readAllBytes(Path.of(file)));
        }
        return files;
    }

    /** An instant such as 2031-04-01T00:00:00Z; now where the command names none. */
    Date time() {
        return has("time") ? Date.from(Instant.parse(text("time"))) : new Date();
    }

    Date time(String name) {
        return Date.from(Instant.parse(text(name)));
    }
}
