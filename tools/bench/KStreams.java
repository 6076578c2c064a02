import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The job of tools/bench/batch.py in Kafka Streams, in two forms.
 *
 * event   Processor API: a persistent (RocksDB) key-value store with its changelog, no cache. Every record: get,
 *         unpack, merge, pack, put, forward one row. One changelog record and one row per EVENT.
 * cached  DSL aggregate over a cached persistent store. Every record folds into the cached state; what goes out
 *         (changelog, RocksDB, row) goes out when the cache is flushed, at a commit or an eviction. One changelog record
 *         and one row per DIRTY KEY per commit: what the batch engine does per batch.
 *
 * Measured from the first record that a task gets until the consumer has COMMITTED every record (seen by a
 * ConsumerInterceptor, which costs nothing per record). The last record of each partition asks for a commit, so that the
 * end does not wait for the commit interval. One line of JSON on stdout.
 */
public final class KStreams {
    static final int FACT = 24, FACTS = 60, PACKED = FACT * FACTS;
    static final byte[] SEED = seed();

    static final OperatingSystemMXBean SYSTEM = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    static final CountDownLatch DONE = new CountDownLatch(1);
    static final AtomicReference<Throwable> FAULT = new AtomicReference<>();
    static final Map<Integer, Long> ENDS = new HashMap<>();
    static String source;
    static long events;
    static volatile long began, beganCpu, half, halfCpu, halfEvents, ended, endedCpu;

    // ---- the job: as fold() of batch.py

    record Fact(long name, long at, long value) {}

    static byte[] seed() {
        ByteBuffer out = ByteBuffer.allocate(PACKED);
        for (long number = 0; number < FACTS; number++) out.putLong(number).putLong(0).putLong(number);
        return out.array();
    }

    /** Unpack all facts, merge one, sort, pack all; the version behind them. */
    static byte[] fold(byte[] packed, byte[] value, long version) {
        ByteBuffer in = ByteBuffer.wrap(packed == null ? SEED : packed, 0, PACKED);
        Map<Long, Fact> facts = new HashMap<>(2 * FACTS);
        while (in.hasRemaining()) {
            Fact fact = new Fact(in.getLong(), in.getLong(), in.getLong());
            facts.put(fact.name, fact);
        }
        ByteBuffer event = ByteBuffer.wrap(value);
        Fact fact = new Fact(event.getLong(), event.getLong(), event.getLong());
        if (fact.at >= facts.get(fact.name).at) facts.put(fact.name, fact);
        Fact[] sorted = facts.values().toArray(new Fact[0]);
        Arrays.sort(sorted, Comparator.comparingLong(Fact::name));
        ByteBuffer out = ByteBuffer.allocate(sorted.length * FACT + 8);
        for (Fact one : sorted) out.putLong(one.name).putLong(one.at).putLong(one.value);
        return out.putLong(version).array();
    }

    /** 304 bytes of the state and the version. */
    static byte[] row(byte[] state) {
        byte[] row = Arrays.copyOf(state, 312);
        System.arraycopy(state, state.length - 8, row, 304, 8);
        return row;
    }

    // ---- form "event"

    static final class Folder implements Processor<byte[], byte[], byte[], byte[]> {
        private ProcessorContext<byte[], byte[]> context;
        private KeyValueStore<byte[], byte[]> store;

        @Override
        public void init(ProcessorContext<byte[], byte[]> context) {
            this.context = context;
            store = context.getStateStore("facts");
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            if (began == 0) begin();
            var place = context.recordMetadata().orElseThrow();
            byte[] state = fold(store.get(record.key()), record.value(), place.offset());
            store.put(record.key(), state);
            context.forward(record.withValue(row(state)));
            if (place.offset() + 1 == ENDS.get(place.partition())) context.commit();
        }
    }

    static Topology event(String rows) {
        Serde<byte[]> bytes = Serdes.ByteArray();
        return new Topology()
            .addSource("source", bytes.deserializer(), bytes.deserializer(), source)
            .addProcessor("fold", Folder::new, "source")
            .addStateStore(Stores.keyValueStoreBuilder(store(), bytes, bytes).withLoggingEnabled(Map.of()), "fold")
            .addSink("rows", rows, bytes.serializer(), bytes.serializer(), "fold");
    }

    // ---- form "cached"

    /** Puts the offset behind the 24 bytes of the fact: an aggregator does not see it. */
    static final class Versions implements FixedKeyProcessor<byte[], byte[], byte[]> {
        private FixedKeyProcessorContext<byte[], byte[]> context;

        @Override
        public void init(FixedKeyProcessorContext<byte[], byte[]> context) {
            this.context = context;
        }

        @Override
        public void process(FixedKeyRecord<byte[], byte[]> record) {
            if (began == 0) begin();
            var place = context.recordMetadata().orElseThrow();
            ByteBuffer value = ByteBuffer.allocate(FACT + 8).put(record.value(), 0, FACT).putLong(place.offset());
            context.forward(record.withValue(value.array()));
            if (place.offset() + 1 == ENDS.get(place.partition())) context.commit();
        }
    }

    static Topology cached(String rows) {
        Serde<byte[]> bytes = Serdes.ByteArray();
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(source, Consumed.with(bytes, bytes))
            .processValues(Versions::new)
            .groupByKey(Grouped.with(bytes, bytes))
            .aggregate(
                () -> SEED,
                (key, value, state) -> fold(state, value, ByteBuffer.wrap(value).getLong(FACT)),
                Materialized.<byte[], byte[]>as(store()).withKeySerde(bytes).withValueSerde(bytes)
                    .withCachingEnabled().withLoggingEnabled(Map.of()))
            .toStream()
            .mapValues(KStreams::row)
            .to(rows, Produced.with(bytes, bytes));
        return builder.build();
    }

    static KeyValueBytesStoreSupplier store() {
        return Stores.persistentKeyValueStore("facts");
    }

    // ---- the measurement

    static synchronized void begin() {
        if (began != 0) return;
        beganCpu = SYSTEM.getProcessCpuTime();
        began = System.nanoTime();
    }

    /** Sees every successful commit of the main consumers. */
    public static final class Watch implements ConsumerInterceptor<byte[], byte[]> {
        private static final Map<Integer, Long> COMMITTED = new HashMap<>();

        @Override
        public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> records) {
            return records;
        }

        @Override
        public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {
            synchronized (COMMITTED) {
                offsets.forEach((place, offset) -> {
                    if (place.topic().equals(source)) COMMITTED.put(place.partition(), offset.offset());
                });
                long done = COMMITTED.values().stream().mapToLong(Long::longValue).sum();
                if (half == 0 && done >= events / 2 && done < events) {
                    half = System.nanoTime();
                    halfCpu = SYSTEM.getProcessCpuTime();
                    halfEvents = done;
                }
                if (ended == 0 && done >= events) {
                    ended = System.nanoTime();
                    endedCpu = SYSTEM.getProcessCpuTime();
                    DONE.countDown();
                }
            }
        }

        @Override
        public void close() {}

        @Override
        public void configure(Map<String, ?> configs) {}
    }

    /** ``late``: from the first commit past half of the events on; null when there was none before the last. */
    static String result() {
        String late = half == 0 ? "null, \"late_cpu\": null" : String.format(Locale.ROOT, "%.1f, \"late_cpu\": %.3f",
            (events - halfEvents) / ((ended - half) / 1e9), (endedCpu - halfCpu) / 1e3 / (events - halfEvents));
        return String.format(Locale.ROOT, "{\"rate\": %.1f, \"cpu\": %.3f, \"late_rate\": %s}",
            events / ((ended - began) / 1e9), (endedCpu - beganCpu) / 1e3 / events, late);
    }

    static Properties config(Map<String, String> given) {
        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, given.get("application"));
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given.get("bootstrap"));
        config.put(StreamsConfig.STATE_DIR_CONFIG, given.get("datadir"));
        config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.AT_LEAST_ONCE);
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, "1000");
        config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, given.get("threads"));
        config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, Long.parseLong(given.get("cache_mb")) << 20);
        config.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        config.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG), Watch.class.getName());
        // The producer as in transport/clients.py, without compression as the engine's own.
        config.put(StreamsConfig.producerPrefix(ProducerConfig.ACKS_CONFIG), "all");
        config.put(StreamsConfig.producerPrefix(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG), "true");
        config.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "none");
        config.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), "20");
        config.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), "1000000");
        config.put(StreamsConfig.producerPrefix(ProducerConfig.MAX_REQUEST_SIZE_CONFIG), "4000000");
        config.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), String.valueOf(128L << 20));
        return config;
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, String> given = new HashMap<>();
        for (String argument : arguments) {
            String[] parts = argument.split("=", 2);
            given.put(parts[0], parts[1]);
        }
        source = given.get("source");
        for (String end : given.get("ends").split(",")) {
            String[] parts = end.split(":");
            ENDS.put(Integer.valueOf(parts[0]), Long.valueOf(parts[1]));
        }
        events = ENDS.values().stream().mapToLong(Long::longValue).sum();
        Topology topology = given.get("form").equals("cached") ? cached(given.get("rows")) : event(given.get("rows"));
        int code = 0;
        try (KafkaStreams streams = new KafkaStreams(topology, config(given))) {
            streams.setUncaughtExceptionHandler(error -> {
                FAULT.set(error);
                DONE.countDown();
                return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            });
            streams.start();
            boolean done = DONE.await(Long.parseLong(given.get("limit")), TimeUnit.SECONDS);
            if (FAULT.get() != null) FAULT.get().printStackTrace();
            else if (!done) System.err.println("not all events were committed in time");
            else System.out.println(result());
            code = FAULT.get() != null || !done ? 1 : 0;
            streams.close(Duration.ofSeconds(10));
        }
        System.exit(code);
    }
}
