import io.undertow.Undertow;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * A topic's latest values by Kafka Streams: a table whose changelog is on, in memory or with `table=rocksdb` in RocksDB, and `GET /stores/<id>/<key>` by Undertow, on its own threads.
 * Arguments: bootstrap, application id, topic, partitions, folder for its state, port, threads.
 * A lookup asks the partition of its key alone, which is the fastest that interactive queries offer.
 */
public class StreamsStore {
  static final String NAME = "store";

  public static void main(String[] args) throws Exception {
    var properties = new Properties();
    properties.put("bootstrap.servers", args[0]);
    properties.put("application.id", args[1]);
    properties.put("state.dir", args[4]);
    properties.put("num.stream.threads", args[6]);
    properties.put("auto.offset.reset", "earliest");
    // A restart takes its place in the group again at once, and does not wait for the session of the process before to end.
    properties.put("group.instance.id", "bench");
    // Each change goes to the changelog, as with the other contenders.
    properties.put("statestore.cache.max.bytes", 0);
    for (int at = 7; at < args.length; at++) {
      var parts = args[at].split("=", 2);
      properties.put(parts[0], parts[1]);
    }
    var isInRocksDb = "rocksdb".equals(properties.remove("table"));
    var table = isInRocksDb ? Stores.persistentKeyValueStore(NAME) : Stores.inMemoryKeyValueStore(NAME);
    var builder = new StreamsBuilder();
    builder.table(
        args[2],
        Materialized.<byte[], byte[]>as(table)
            .withKeySerde(Serdes.ByteArray())
            .withValueSerde(Serdes.ByteArray())
            .withLoggingEnabled(new HashMap<>()));
    var running = new CountDownLatch(1);
    var streams = new KafkaStreams(builder.build(), properties);
    streams.setStateListener((now, before) -> {
      if (now == KafkaStreams.State.RUNNING) running.countDown();
    });
    var restored = new Restored();
    streams.setGlobalStateRestoreListener(restored);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(20))));
    streams.start();
    running.await();
    System.out.println(restored);
    serve(streams, "/stores/" + args[1] + "/", Integer.parseInt(args[3]), Integer.parseInt(args[5]));
  }

  static void serve(KafkaStreams streams, String prefix, int partitions, int port) {
    var stores = new java.util.ArrayList<ReadOnlyKeyValueStore<byte[], byte[]>>();
    for (int partition = 0; partition < partitions; partition++)
      stores.add(streams.store(StoreQueryParameters
          .fromNameAndType(NAME, QueryableStoreTypes.<byte[], byte[]>keyValueStore())
          .withPartition(partition)));
    Undertow.builder()
        .addHttpListener(port, "127.0.0.1")
        .setIoThreads(Runtime.getRuntime().availableProcessors())
        .setHandler(exchange -> answer(exchange, stores, prefix))
        .build()
        .start();
  }

  static void answer(
      HttpServerExchange exchange, java.util.List<ReadOnlyKeyValueStore<byte[], byte[]>> stores, String prefix) {
    var path = exchange.getRequestPath();
    if (!path.startsWith(prefix)) {
      exchange.setStatusCode(404).endExchange();
      return;
    }
    var key = path.substring(prefix.length()).getBytes(StandardCharsets.UTF_8);
    var value = stores.get(Utils.toPositive(Utils.murmur2(key)) % stores.size()).get(key);
    if (value == null) {
      exchange.setStatusCode(404).endExchange();
      return;
    }
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "application/json");
    exchange.getResponseSender().send(ByteBuffer.wrap(value));
  }

  /** How long restoring took over all partitions, by Kafka Streams' own events. */
  static class Restored implements StateRestoreListener {
    final AtomicLong records = new AtomicLong();
    long start;
    long end;

    public synchronized void onRestoreStart(TopicPartition partition, String store, long from, long to) {
      if (start == 0) start = System.nanoTime();
    }

    public void onBatchRestored(TopicPartition partition, String store, long offset, long count) {
    }

    public synchronized void onRestoreEnd(TopicPartition partition, String store, long total) {
      records.addAndGet(total);
      end = System.nanoTime();
    }

    public synchronized String toString() {
      return "restored " + records + " records in " + (end - start) / 1e6 + " ms";
    }
  }
}
