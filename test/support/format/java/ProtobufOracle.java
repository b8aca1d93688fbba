import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.ExtensionRegistry;
import com.google.protobuf.Message;
import com.google.protobuf.TypeRegistry;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.util.JsonFormat;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * What Google's Protocol Buffers make of messages: `PROTOC FOLDER FILE...`, with messages as lines of `<full name> <hexadecimal digits>` on standard input. Each
 * is answered by a line: `<its canonical bytes> <its JSON>` without fields that are not known, or `! <reason>`. With `files CLASS...` as arguments, lines are the
 * descriptors of the files that these classes are generated from, in base64.
 */
public class ProtobufOracle {
  public static void main(String[] args) throws Exception {
    var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    if (args[0].equals("files")) descriptors(args, out);
    else answers(args, out);
    out.flush();
  }

  static void descriptors(String[] classes, PrintStream out) throws Exception {
    for (var name : List.of(classes).subList(1, classes.length)) {
      var file = (FileDescriptor) Class.forName(name).getMethod("getDescriptor").invoke(null);
      out.println(java.util.Base64.getEncoder().encodeToString(file.toProto().toByteArray()));
    }
  }

  static void answers(String[] args, PrintStream out) throws Exception {
    var extensions = ExtensionRegistry.newInstance();
    var all = new ArrayList<Descriptor>();
    for (var file : load(args)) {
      all.addAll(file.getMessageTypes());
      file.getExtensions().forEach(field -> {
        if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE)
          extensions.add(field, DynamicMessage.getDefaultInstance(field.getMessageType()));
        else extensions.add(field);
      });
    }
    var types = TypeRegistry.newBuilder().add(all).build();
    var printer = JsonFormat.printer().usingTypeRegistry(types).omittingInsignificantWhitespace();
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = input.readLine()) != null; ) {
      var parts = line.split(" ", -1);
      try {
        var bytes = HexFormat.of().parseHex(parts[1]);
        var message = known(DynamicMessage.parseFrom(types.find(parts[0]), bytes, extensions));
        out.println(HexFormat.of().formatHex(deterministic(message)) + " " + printer.print(message));
      } catch (Exception error) {
        out.println("! " + String.valueOf(error.getMessage()).replace('\n', ' '));
      }
    }
  }

  static List<FileDescriptor> load(String[] args) throws Exception {
    var folder = Path.of(args[1]);
    var google = Files.createDirectories(folder.resolve("google/protobuf"));
    for (var name : List.of("any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers")) {
      try (var file = Message.class.getResourceAsStream("/google/protobuf/" + name + ".proto")) {
        Files.copy(file, google.resolve(name + ".proto"));
      }
    }
    var set = folder.resolve("set.binpb");
    var command = new ArrayList<>(List.of(args[0], "--include_imports", "--descriptor_set_out=" + set, "-I" + folder));
    for (var file : List.of(args).subList(2, args.length)) command.add(folder + "/" + file);
    var exitCode = new ProcessBuilder(command).inheritIO().start().waitFor();
    if (exitCode != 0) throw new IllegalStateException("protoc ended with " + exitCode);
    var files = new LinkedHashMap<String, FileDescriptor>();
    // A file comes after those that it imports.
    for (FileDescriptorProto file : FileDescriptorSet.parseFrom(Files.readAllBytes(set)).getFileList()) {
      var imported = file.getDependencyList().stream().map(files::get).toArray(FileDescriptor[]::new);
      files.put(file.getName(), FileDescriptor.buildFrom(file, imported));
    }
    return List.copyOf(files.values());
  }

  /** Without fields that are not known, at every level. */
  static Message known(Message message) {
    var builder = message.toBuilder();
    builder.setUnknownFields(UnknownFieldSet.getDefaultInstance());
    message.getAllFields().forEach((field, value) -> {
      if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE) return;
      if (!field.isRepeated()) builder.setField(field, known((Message) value));
      else for (int i = 0; i < ((List<?>) value).size(); i++)
        builder.setRepeatedField(field, i, known((Message) ((List<?>) value).get(i)));
    });
    return builder.build();
  }

  static byte[] deterministic(Message message) throws Exception {
    var bytes = new ByteArrayOutputStream();
    var output = CodedOutputStream.newInstance(bytes);
    output.useDeterministicSerialization();
    message.writeTo(output);
    output.flush();
    return bytes.toByteArray();
  }
}
