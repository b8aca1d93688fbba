import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Conversions;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;

/** Prints what Apache Avro writes, a vector a line: a name, its schema, its bytes in base64. Its argument is the path of order.avsc. */
public class AvroVectors {
  static final GenericData data = new GenericData();

  public static void main(String[] arguments) throws Exception {
    numbers();
    texts();
    times();
    decimals();
    structures();
    unions();
    order(arguments[0]);
  }

  static void numbers() throws Exception {
    for (long value : new long[] {0, -1, 1, -64, 64, 8191, -8193, 1L << 40, 9007199254740991L, -9007199254740991L,
        9007199254740992L, -9007199254740993L, Long.MAX_VALUE, Long.MIN_VALUE}) {
      print("long " + value, "\"long\"", value);
    }
    for (int value : new int[] {0, -1, 63, 64, Integer.MAX_VALUE, Integer.MIN_VALUE}) print("int " + value, "\"int\"", value);
    for (float value : new float[] {0.1f, -1.5f, Float.NaN, Float.POSITIVE_INFINITY, Float.MIN_VALUE, Float.MAX_VALUE}) {
      print("float " + value, "\"float\"", value);
    }
    for (double value : new double[] {0.1, -1e300, Double.NaN, Double.NEGATIVE_INFINITY, Double.MIN_VALUE}) {
      print("double " + value, "\"double\"", value);
    }
    print("boolean true", "\"boolean\"", true);
    print("boolean false", "{\"type\":\"boolean\"}", false);
    print("null", "\"null\"", (Object) null);
  }

  static void texts() throws Exception {
    print("string empty", "\"string\"", "");
    print("string of many alphabets", "\"string\"", "Grüße, Ελλάδα, 鍵, 🔑");
    print("bytes", "\"bytes\"", ByteBuffer.wrap(new byte[] {0, (byte) 0xff, 0x10}));
    String fixed = "{\"type\":\"fixed\",\"name\":\"Digest\",\"size\":4}";
    print("fixed", fixed, data.createFixed(null, new byte[] {1, 2, 3, (byte) 0xfe}, new Schema.Parser().parse(fixed)));
    String suit = "{\"type\":\"enum\",\"name\":\"Suit\",\"namespace\":\"cards\",\"symbols\":[\"SPADES\",\"HEARTS\"]}";
    print("enum", suit, new GenericData.EnumSymbol(new Schema.Parser().parse(suit), "HEARTS"));
    String uuid = "{\"type\":\"fixed\",\"name\":\"Id\",\"size\":16,\"logicalType\":\"uuid\"}";
    Schema uuidSchema = new Schema.Parser().parse(uuid);
    Object id = new Conversions.UUIDConversion().toFixed(
        java.util.UUID.fromString("8ba01d5c-3b4f-4d5e-9c1a-0123456789ab"), uuidSchema, LogicalTypes.uuid());
    print("uuid in a fixed", uuid, id);
    print("uuid in a string", "{\"type\":\"string\",\"logicalType\":\"uuid\"}", "8ba01d5c-3b4f-4d5e-9c1a-0123456789ab");
  }

  static void times() throws Exception {
    print("date", "{\"type\":\"int\",\"logicalType\":\"date\"}", (int) java.time.LocalDate.of(2026, 11, 23).toEpochDay());
    print("date before 1970", "{\"type\":\"int\",\"logicalType\":\"date\"}", (int) java.time.LocalDate.of(1815, 12, 10).toEpochDay());
    print("date beyond calendars", "{\"type\":\"int\",\"logicalType\":\"date\"}", Integer.MAX_VALUE);
    long millis = java.time.Instant.parse("2026-11-23T17:36:00.123Z").toEpochMilli();
    print("timestamp-millis", logical("long", "timestamp-millis"), millis);
    print("timestamp-millis before 1970", logical("long", "timestamp-millis"), -1L);
    print("timestamp-millis beyond calendars", logical("long", "timestamp-millis"), Long.MAX_VALUE);
    print("timestamp-micros", logical("long", "timestamp-micros"), millis * 1000 + 456);
    print("timestamp-micros before 1970", logical("long", "timestamp-micros"), -1L);
    print("timestamp-micros late", logical("long", "timestamp-micros"), 9_100_000_000_000_000L);
    print("timestamp-nanos", logical("long", "timestamp-nanos"), millis * 1_000_000 + 456_789);
    print("timestamp-nanos before 1970", logical("long", "timestamp-nanos"), Long.MIN_VALUE);
    print("local-timestamp-millis", logical("long", "local-timestamp-millis"), millis);
    print("local-timestamp-micros", logical("long", "local-timestamp-micros"), millis * 1000);
    print("time-millis", logical("int", "time-millis"), 63_360_123);
    print("time-micros", logical("long", "time-micros"), 63_360_123_456L);
    print("time-millis beyond the day", logical("int", "time-millis"), 86_400_000);
    print("logical type that is unknown", logical("long", "fortnights"), 7L);
  }

  static void decimals() throws Exception {
    String money = "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":30,\"scale\":2}";
    Schema schema = new Schema.Parser().parse(money);
    for (String text : new String[] {"0.00", "0.07", "-0.07", "1.28", "-1.28", "12.30", "1234567890123456789012345678.99"}) {
      print("decimal " + text, money,
          new Conversions.DecimalConversion().toBytes(new BigDecimal(text), schema, schema.getLogicalType()));
    }
    String fixed = "{\"type\":\"fixed\",\"name\":\"Money\",\"size\":8,\"logicalType\":\"decimal\",\"precision\":15,\"scale\":3}";
    Schema fixedSchema = new Schema.Parser().parse(fixed);
    for (String text : new String[] {"0.000", "-999999999999.999", "1.500"}) {
      print("decimal in a fixed " + text, fixed, new Conversions.DecimalConversion()
          .toFixed(new BigDecimal(text), fixedSchema, fixedSchema.getLogicalType()));
    }
  }

  static void structures() throws Exception {
    print("array", "{\"type\":\"array\",\"items\":\"int\"}", List.of(1, -2, 300));
    print("array empty", "{\"type\":\"array\",\"items\":\"int\"}", List.of());
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("__proto__", 1L);
    map.put("a", Long.MAX_VALUE);
    print("map", "{\"type\":\"map\",\"values\":\"long\"}", map);
    List<Long> many = new ArrayList<>();
    for (long item = 0; item < 40; item++) many.add(item);
    Schema blocks = new Schema.Parser().parse("{\"type\":\"array\",\"items\":\"long\"}");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    // Writes blocks with their length in bytes, and the number of items negative.
    BinaryEncoder encoder = new EncoderFactory().configureBlockSize(64).blockingBinaryEncoder(bytes, null);
    new GenericDatumWriter<>(blocks, data).write(many, encoder);
    encoder.flush();
    print("array in blocks of other sizes", blocks.toString(), bytes.toByteArray());
    String list = "{\"type\":\"record\",\"name\":\"Node\",\"namespace\":\"lists\",\"fields\":[{\"name\":\"value\",\"type\":\"int\"},"
        + "{\"name\":\"next\",\"type\":[\"null\",\"Node\"],\"default\":null}]}";
    Schema node = new Schema.Parser().parse(list);
    Object last = new GenericRecordBuilder(node).set("value", 2).set("next", null).build();
    print("record that holds itself", list, new GenericRecordBuilder(node).set("value", 1).set("next", last).build());
  }

  static void unions() throws Exception {
    String plain = "[\"null\",\"string\",\"long\",\"boolean\"]";
    print("union null", plain, (Object) null);
    print("union string", plain, "7");
    print("union long", plain, 7L);
    print("union long beyond 2^53", plain, Long.MAX_VALUE);
    print("union boolean", plain, true);
    String numbers = "[\"null\",\"int\",\"double\"]";
    print("union of numbers null", numbers, (Object) null);
    print("union of numbers int", numbers, 7);
    print("union of numbers double", numbers, 7.5);
    String records = "[{\"type\":\"record\",\"name\":\"a.Cat\",\"fields\":[{\"name\":\"lives\",\"type\":\"int\"}]},"
        + "{\"type\":\"record\",\"name\":\"a.Dog\",\"fields\":[]}]";
    Schema schema = new Schema.Parser().parse(records);
    print("union of records", records, new GenericRecordBuilder(schema.getTypes().get(0)).set("lives", 9).build());
    print("union of records, the second", records, new GenericData.Record(schema.getTypes().get(1)));
    print("union of a time", "[\"null\"," + logical("long", "timestamp-millis") + "]", 0L);
  }

  /** Defaults of all kinds, as Avro itself fills them in. */
  static void order(String path) throws Exception {
    String order = Files.readString(Path.of(path));
    Schema schema = new Schema.Parser().parse(order);
    print("order with defaults", order, new GenericRecordBuilder(schema).set("id", 10071L).build());
  }

  static String logical(String type, String name) {
    return "{\"type\":\"" + type + "\",\"logicalType\":\"" + name + "\"}";
  }

  static void print(String name, String schema, Object value) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
    new GenericDatumWriter<>(new Schema.Parser().parse(schema), data).write(value, encoder);
    encoder.flush();
    print(name, schema, bytes.toByteArray());
  }

  static void print(String name, String schema, byte[] bytes) {
    System.out.println(name + "\t" + schema.replaceAll("\\s+", " ") + "\t" + Base64.getEncoder().encodeToString(bytes));
  }
}
