import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.ExtensionRegistry;
import com.google.protobuf.Message;
import com.google.protobuf.TextFormat;
import com.google.protobuf.TypeRegistry;
import com.google.protobuf.util.JsonFormat;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.common.serialization.IntegerSerializer;
import org.apache.kafka.common.serialization.LongSerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.serialization.UUIDSerializer;

/**
 * What Kafka's serializers and Google's Protocol Buffers make of the cases in a file. Run from this file, without a build:
 * `CASES PROTOC PROTOS`, the latter the folder of the .proto files; prints the cases as JSON, each with its bytes in hexadecimal digits, messages with their JSON form.
 */
public class FormatVectors {
  public static void main(String[] args) throws Exception {
    var cases = JsonParser.parseString(Files.readString(Path.of(args[0]))).getAsJsonObject();
    for (var element : cases.getAsJsonArray("simple")) {
      var one = element.getAsJsonObject();
      one.addProperty("bytes", hex(serialize(one.get("format").getAsString(), one.get("text").getAsString())));
    }
    messages(cases.getAsJsonArray("protobuf"), compile(args[1], args[2]));
    System.out.println(cases);
  }

  static byte[] serialize(String format, String text) {
    switch (format) {
      case "utf8": return new StringSerializer().serialize("", text);
      case "int32": return new IntegerSerializer().serialize("", Integer.valueOf(text));
      case "int64": return new LongSerializer().serialize("", Long.valueOf(text));
      case "uuid": return new UUIDSerializer().serialize("", UUID.fromString(text));
      default: throw new IllegalArgumentException(format);
    }
  }

  static FileDescriptorSet compile(String protoc, String protos) throws Exception {
    var folder = Files.createTempDirectory("latchkey-protoc");
    try {
      var google = Files.createDirectories(folder.resolve("google/protobuf"));
      for (var name : List.of("any", "duration", "field_mask", "struct", "timestamp", "wrappers")) {
        try (var file = Message.class.getResourceAsStream("/google/protobuf/" + name + ".proto")) {
          Files.copy(file, google.resolve(name + ".proto"));
        }
      }
      var set = folder.resolve("set.binpb");
      var includes = List.of("-I" + protos, "-I" + protos + "/orders/v1", "-I" + folder);
      var command = new ArrayList<>(List.of(protoc, "--include_imports", "--descriptor_set_out=" + set));
      command.addAll(includes);
      command.addAll(List.of(protos + "/orders/v1/order.proto", protos + "/legacy.proto"));
      var exitCode = new ProcessBuilder(command).inheritIO().start().waitFor();
      if (exitCode != 0) throw new IllegalStateException("protoc ended with " + exitCode);
      return FileDescriptorSet.parseFrom(Files.readAllBytes(set));
    } finally {
      try (var files = Files.walk(folder)) {
        files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
      }
    }
  }

  static void messages(JsonArray cases, FileDescriptorSet set) throws Exception {
    var files = new LinkedHashMap<String, FileDescriptor>();
    // A file comes after those that it imports.
    for (FileDescriptorProto file : set.getFileList()) {
      var imported = file.getDependencyList().stream().map(files::get).toArray(FileDescriptor[]::new);
      files.put(file.getName(), FileDescriptor.buildFrom(file, imported));
    }
    var extensions = ExtensionRegistry.newInstance();
    var all = new ArrayList<Descriptor>();
    for (var file : files.values()) {
      all.addAll(file.getMessageTypes());
      file.getExtensions().forEach(extensions::add);
    }
    var types = TypeRegistry.newBuilder().add(all).build();
    var printer = JsonFormat.printer().usingTypeRegistry(types).omittingInsignificantWhitespace();
    for (JsonElement element : cases) {
      var one = element.getAsJsonObject();
      var builder = DynamicMessage.newBuilder(types.find(one.get("message").getAsString()));
      TextFormat.Parser.newBuilder().setTypeRegistry(types).build().merge(one.get("text").getAsString(), extensions, builder);
      var message = builder.build();
      one.addProperty("bytes", hex(deterministic(message)));
      // The mapping has no form for extensions; Java leaves them out.
      one.add("json", hasExtensions(message) ? JsonNull.INSTANCE : JsonParser.parseString(printer.print(message)));
    }
  }

  static boolean hasExtensions(Message message) {
    return message.getAllFields().keySet().stream().anyMatch(field -> field.isExtension());
  }

  static byte[] deterministic(Message message) throws Exception {
    var bytes = new ByteArrayOutputStream();
    var output = CodedOutputStream.newInstance(bytes);
    output.useDeterministicSerialization();
    message.writeTo(output);
    output.flush();
    return bytes.toByteArray();
  }

  static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
