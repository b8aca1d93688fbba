import java.nio.file.Files;
import java.time.Duration;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.Stores;

/**
 * A key-value store of Kafka Streams, to hold ours against. Run from this file, without a build:
 * `read BOOTSTRAP APPLICATION TOPIC` copies a topic as a global table and prints it, a line `entry KEY VALUE` each, in Base64;
 * `write BOOTSTRAP APPLICATION TOPIC STORE RECORDS` consumes so many records of a topic into a table, whose changelog and committed
 * offsets stay behind.
 */
public class KafkaStreamsStore {
  static final Duration TIMEOUT = Duration.ofSeconds(40);

  public static void main(String[] args) throws Exception {
    var properties = new Properties();
    properties.put("bootstrap.servers", args[1]);
    properties.put("application.id", args[2]);
    var folder = Files.createTempDirectory("latchkey-streams");
    properties.put("state.dir", folder.toString());
    properties.put("statestore.cache.max.bytes", 0);
    properties.put("auto.offset.reset", "earliest");
    try {
      if (args[0].equals("read")) read(properties, args[3]);
      else write(properties, args[3], args[4], Integer.parseInt(args[5]));
    } finally {
      try (var files = Files.walk(folder)) {
        files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
      }
    }
  }

  static void read(Properties properties, String topic) throws Exception {
    var builder = new StreamsBuilder();
    builder.globalTable(topic, materialized("copy"));
    // A global table is restored to the end of its topic before the application runs.
    try (var streams = start(builder, properties)) {
      var type = QueryableStoreTypes.<byte[], byte[]>keyValueStore();
      var store = streams.store(StoreQueryParameters.fromNameAndType("copy", type));
      var base64 = Base64.getEncoder();
      try (var entries = store.all()) {
        while (entries.hasNext()) {
          var entry = entries.next();
          System.out.println("entry " + base64.encodeToString(entry.key) + " " + base64.encodeToString(entry.value));
        }
      }
    }
  }

  static void write(Properties properties, String topic, String name, int records) throws Exception {
    var consumed = new CountDownLatch(records);
    var builder = new StreamsBuilder();
    builder.table(topic, materialized(name)).toStream().foreach((key, value) -> consumed.countDown());
    // Closing commits.
    try (var streams = start(builder, properties)) {
      if (!consumed.await(TIMEOUT.toSeconds(), TimeUnit.SECONDS))
        throw new IllegalStateException(consumed.getCount() + " records of " + topic + " have not come");
      streams.close(TIMEOUT);
    }
  }

  static Materialized<byte[], byte[], KeyValueStore<Bytes, byte[]>> materialized(String name) {
    return Materialized.<byte[], byte[]>as(Stores.inMemoryKeyValueStore(name))
        .withKeySerde(Serdes.ByteArray())
        .withValueSerde(Serdes.ByteArray())
        .withLoggingEnabled(new HashMap<>());
  }

  static KafkaStreams start(StreamsBuilder builder, Properties properties) throws Exception {
    var running = new CountDownLatch(1);
    var streams = new KafkaStreams(builder.build(), properties);
    streams.setStateListener((now, before) -> {
      if (now == KafkaStreams.State.RUNNING) running.countDown();
    });
    streams.start();
    if (!running.await(TIMEOUT.toSeconds(), TimeUnit.SECONDS))
      throw new IllegalStateException("Kafka Streams does not run: " + streams.state());
    return streams;
  }
}
