"""What Confluent's own client writes under schemas of a registry that runs.

pip install 'confluent-kafka[avro,json,protobuf]' grpcio-tools
python write-vectors.py http://localhost:8080/apis/ccompat/v7 > vectors.json
"""
import json
import pathlib
import subprocess
import sys
import tempfile

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

url = sys.argv[1]
protos = pathlib.Path(__file__).parent / 'protos'


class TextClient(SchemaRegistryClient):
    """Its Protobuf serializer asks for a schema's id by a descriptor; registered are texts, as Java's does."""

    def lookup_schema(self, subject_name, schema, normalize_schemas=False, deleted=False):
        return self.get_latest_version(subject_name)


client = TextClient({'url': url})
config = {'auto.register.schemas': False, 'use.latest.version': True}
vectors = []


def register(subject, kind, text, references=()):
    references = [SchemaReference(name, referred, 1) for name, referred in references]
    return client.register_schema(subject, Schema(text, kind, references))


def add(name, topic, kind, serializer, value, shown):
    data = serializer(value, SerializationContext(topic, MessageField.VALUE))
    vectors.append({'name': name, 'subject': f'{topic}-value', 'kind': kind, 'bytes': data.hex(), 'json': shown})


money = {'type': 'record', 'name': 'Money', 'namespace': 'shop', 'fields': [{'name': 'cents', 'type': 'long'}]}
order = {
    'type': 'record',
    'name': 'Order',
    'namespace': 'shop',
    'fields': [
        {'name': 'id', 'type': 'long'},
        {'name': 'total', 'type': ['null', 'shop.Money'], 'default': None},
        {'name': 'tags', 'type': {'type': 'array', 'items': 'string'}, 'default': []},
    ],
}
register('money', 'AVRO', json.dumps(money))
register('avro-value', 'AVRO', json.dumps(order), [('shop.Money', 'money')])
value = {'id': 10071, 'total': {'cents': 2390}, 'tags': ['new']}
add('Avro with a reference', 'avro', 'avro', AvroSerializer(client, conf=config), value, value)
register('text-value', 'AVRO', '"string"')
add('Avro of a primitive type', 'text', 'avro', AvroSerializer(client, conf=config), 'latch', 'latch')

schema = {'$schema': 'http://json-schema.org/draft-07/schema#', 'title': 'Order', 'type': 'object'}
register('json-value', 'JSON', json.dumps(schema))
serializer = JSONSerializer(json.dumps(schema), client, conf=config)
add('JSON Schema', 'json', 'json', serializer, value, value)

text = {name: (protos / name).read_text() for name in ('shop/currency.proto', 'shop/money.proto', 'shop/order.proto')}
register('shop/currency.proto', 'PROTOBUF', text['shop/currency.proto'])
register('shop/money.proto', 'PROTOBUF', text['shop/money.proto'], [('shop/currency.proto', 'shop/currency.proto')])
register('protobuf-value', 'PROTOBUF', text['shop/order.proto'], [('shop/money.proto', 'shop/money.proto')])
with tempfile.TemporaryDirectory() as folder:
    command = [sys.executable, '-m', 'grpc_tools.protoc', f'-I{protos}', f'--python_out={folder}', *text]
    subprocess.run(command, check=True)
    sys.path.insert(0, folder)
    from shop import money_pb2, order_pb2

price = money_pb2.Money(cents=2390, currency=1)
line = order_pb2.Order.Line(product='latch', price=price)
whole = order_pb2.Order(id=2**60, lines=[line], status=1, address={'city': 'Kiel'})
whole.created.FromJsonString('2026-11-23T17:36:00Z')
shown_line = {'product': 'latch', 'price': {'cents': 2390, 'currency': 'CURRENCY_EUR'}}
shown = {
    'id': str(2**60),
    'lines': [shown_line],
    'status': 'SHIPPED',
    'address': {'city': 'Kiel'},
    'created': '2026-11-23T17:36:00Z',
}
messages = [
    ('the first message', whole, shown),
    ('the second message', order_pb2.Cancellation(id=7, reason='lost'), {'id': 7, 'reason': 'lost'}),
    ('a message inside a message', line, shown_line),
    ('the second message inside a message', order_pb2.Order.Address(city='Kiel'), {'city': 'Kiel'}),
]
for name, message, shown in messages:
    serializer = ProtobufSerializer(type(message), client, conf={'auto.register.schemas': False})
    add(f'Protobuf, {name}', 'protobuf', 'protobuf', serializer, message, shown)


def answers():
    """What the registry answers to the questions that these need."""
    subjects = ['money', 'avro-value', 'text-value', 'json-value', 'shop/currency.proto', 'shop/money.proto', 'protobuf-value']
    for subject in subjects:
        version = client.get_latest_version(subject)
        references = [reference.to_dict() for reference in version.schema.references or []]
        yield {
            'subject': subject,
            'version': version.version,
            'id': version.schema_id,
            'schemaType': version.schema.schema_type or 'AVRO',
            'schema': version.schema.schema_str,
            'references': references,
        }


print(json.dumps({'schemas': list(answers()), 'vectors': vectors}, indent=2, ensure_ascii=False))
