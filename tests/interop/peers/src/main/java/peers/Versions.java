package peers;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.Properties;

/** Which versions of the peers were built in: the build writes them down. */
final class Versions {
    private Versions() {
    }

    static Map<String, Object> all() throws IOException {
        Properties found = new Properties();
        try (InputStream file = Versions.class.getResourceAsStream("/versions.properties")) {
            found.load(file);
        }
        return Map.of("bouncy_castle", found.getProperty("bouncycastle"), "dss", found.getProperty("dss"));
    }
}
