import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileTemplate, HEADER_FUNCTIONS, type Value } from '../../../src/cli/format/template/index.ts';
import { withTypedNils } from '../../../src/cli/format/template/nil.ts';
import type { TsboxError } from '../../../src/errors.ts';

const test = suite('go templates');

/** The dot of every case: a container as inspect shows it. */
const DOT = {
  Name: '/web',
  Id: 'deadbeef0123456789',
  Size: 42,
  Ratio: 1.5,
  Running: true,
  Empty: '',
  Nothing: null,
  State: { Status: 'running', ExitCode: 0, Health: null },
  Config: { Labels: { 'com.example.team': 'x', plain: 'y' }, Env: ['A=1', 'B=2'], Cmd: [] as string[] },
  NetworkSettings: {
    Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }], '53/udp': null },
    Networks: { b: { IPAddress: '10.0.0.3' }, a: { IPAddress: '10.0.0.2' } },
  },
  Mounts: [
    { Source: '/a', Destination: '/x' },
    { Source: '/b', Destination: '/y' },
  ],
  Label: (name: Value) => `label of ${String(name)}`,
};

/** Template → what Go's text/template with docker's functions prints. */
const TABLE: [string, string][] = [
  ['plain text', 'plain text'],
  ['', ''],
  ['{{.Name}}', '/web'],
  ['a{{.Size}}b', 'a42b'],
  ['{{.Running}} {{.Ratio}}', 'true 1.5'],
  ['{{ .State.Status }}', 'running'],
  ['{{.Nothing}}', '<nil>'],
  ['{{.Config.Labels.plain}}', 'y'],
  ['{{.Config.Labels.absent}}', '<no value>'],
  ['{{index .Config.Labels "com.example.team"}}', 'x'],
  ['{{index .Config.Env 1}}', 'B=2'],
  ['{{(index .Mounts 0).Source}}', '/a'],
  ['{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}', '8080'],
  ['{{index .NetworkSettings.Ports "80/tcp" 0 "HostPort"}}', '8080'],
  ['{{.Label "team"}}', 'label of team'],
  ['{{.Config.Env}}', '[A=1 B=2]'],
  ['{{.Config.Labels}}', 'map[com.example.team:x plain:y]'],
  // json
  ['{{json .State}}', '{"Status":"running","ExitCode":0,"Health":null}'],
  ['{{.Name | json}}', '"/web"'],
  ['{{json "<a&b>"}}', '"<a&b>"'],
  ['{{json .Nothing}}', 'null'],
  // white space and comments
  ['a {{- .Size -}} b', 'a42b'],
  ['a  {{- /* note */ -}}  b', 'ab'],
  ['{{/* a }} in a comment */}}x', 'x'],
  ['a\n{{- "x" }}\nb', 'ax\nb'],
  ['{{ "}}" }}', '}}'],
  ['{{- 3 -}}', '3'],
  ['x {{-3}}', 'x -3'],
  // if, with, else
  ['{{if .Running}}yes{{else}}no{{end}}', 'yes'],
  ['{{if .Empty}}yes{{else}}no{{end}}', 'no'],
  ['{{if .Config.Cmd}}yes{{else if .Running}}middle{{else}}no{{end}}', 'middle'],
  ['{{if .State.ExitCode}}bad{{end}}', ''],
  ['{{if not .State.Health}}none{{end}}', 'none'],
  ['{{with .State}}{{.Status}} {{$.Name}}{{end}}', 'running /web'],
  ['{{with .Nothing}}x{{else}}none{{end}}', 'none'],
  ['{{with .Empty}}x{{else with .Name}}{{.}}{{end}}', '/web'],
  ['{{with $x := .Size}}{{$x}}{{end}}', '42'],
  // range
  ['{{range .Config.Env}}{{.}};{{end}}', 'A=1;B=2;'],
  ['{{range $i, $e := .Config.Env}}{{$i}}:{{$e}} {{end}}', '0:A=1 1:B=2 '],
  ['{{range $e := .Config.Env}}{{$e}}{{end}}', 'A=1B=2'],
  ['{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}', '10.0.0.2 10.0.0.3 '],
  ['{{range $k, $v := .NetworkSettings.Networks}}{{$k}}={{$v.IPAddress}} {{end}}', 'a=10.0.0.2 b=10.0.0.3 '],
  [
    '{{range $p, $c := .NetworkSettings.Ports}}{{$p}} -> {{with $c}}{{(index . 0).HostPort}}{{else}}-{{end}}\n{{end}}',
    '53/udp -> -\n80/tcp -> 8080\n',
  ],
  ['{{range .Config.Cmd}}x{{else}}none{{end}}', 'none'],
  ['{{range .Mounts}}{{if eq .Source "/b"}}{{break}}{{end}}{{.Source}}{{end}}', '/a'],
  ['{{range .Mounts}}{{if eq .Source "/a"}}{{continue}}{{end}}{{.Source}}{{end}}', '/b'],
  ['{{range 3}}{{.}}{{end}}', '012'],
  // variables
  ['{{$n := .Name}}{{$n}}', '/web'],
  ['{{$n := 1}}{{range .Config.Env}}{{$n = 2}}{{end}}{{$n}}', '2'],
  ['{{$n := 1}}{{range .Config.Env}}{{$n := 2}}{{end}}{{$n}}', '1'],
  ['{{$s := .State}}{{$s.Status}}', 'running'],
  ['{{$.Name}}', '/web'],
  // comparison and logic
  [
    '{{eq .Size 42}} {{ne .Size 42}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge "b" "a"}}',
    'true false true true false true',
  ],
  ['{{eq .State.Status "exited" "running"}}', 'true'],
  ['{{and .Running .Name}}', '/web'],
  ['{{and .Empty .Boom.Bang}}', ''],
  ['{{or .Empty .Name}} {{or .Empty 0}}', '/web 0'],
  ['{{not .Running}}', 'false'],
  ['{{if and .Running (not .Nothing)}}ok{{end}}', 'ok'],
  // functions
  ['{{join .Config.Env ","}}', 'A=1,B=2'],
  ['{{split "a:b:c" ":"}}', '[a b c]'],
  ['{{index (split .Name "/") 1}}', 'web'],
  ['{{upper .Name}} {{lower "ABC"}} {{title "hello big world"}}', '/WEB abc Hello Big World'],
  ['{{pad "x" 2 1}}|{{pad "" 2 1}}|', '  x ||'],
  ['{{truncate .Id 8}} {{truncate "ab" 8}}', 'deadbeef ab'],
  ['{{len .Config.Env}} {{len .Name}} {{len "ä"}} {{len .Config.Labels}}', '2 4 2 2'],
  ['{{slice .Id 0 4}}', 'dead'],
  ['{{print 1 2 "a" "b" 3}}', '1 2ab3'],
  ['{{println .Name 1}}', '/web 1\n'],
  ['{{.Name | upper | printf "%s!"}}', '/WEB!'],
  ['{{"quoted" | len}}', '6'],
  ['{{urlquery "a b&c"}}', 'a+b%26c'],
  // printf
  ['{{printf "%s %d %v %q" .Name .Size .Running "a\\"b"}}', '/web 42 true "a\\"b"'],
  ['{{printf "%-6s|%6s|%06d|%+d" "ab" "cd" 42 7}}', 'ab    |    cd|000042|+7'],
  ['{{printf "%.2f %5.1f %x %X %o %b %c %%" 3.14159 2.5 255 255 8 5 65}}', '3.14   2.5 ff FF 10 101 A %'],
  ['{{printf "%.3s" "abcdef"}} {{printf "%x" "hi"}}', 'abc 6869'],
  ['{{printf "%d" "x"}}', '%!d(string=x)'],
  ['{{printf "%s"}}', '%!s(MISSING)'],
  ['{{printf "x" 1}}', 'x%!(EXTRA int=1)'],
  ['{{printf "%t %T %T" true "s" 1}}', 'true string int'],
  // literals
  ['{{`raw "x" \\n`}}', 'raw "x" \\n'],
  ['{{"tab\\there \\u00e4 \\x41"}}', 'tab\there ä A'],
  ["{{'a'}} {{1.5}} {{0x10}} {{true}} {{1e3}}", '97 1.5 16 true 1000'],
];

for (const [source, expected] of TABLE) {
  test(JSON.stringify(source).slice(1, -1) || 'empty', () => {
    assert.is(compileTemplate(source)(DOT as unknown as Value), expected);
  });
}

const BAD: [string, RegExp][] = [
  ['{{.Name', /unclosed action/],
  ['{{if .Name}}', /\{\{end\}\} is missing/],
  ['{{end}}', /unexpected \{\{end\}\}/],
  ['{{if .Name}}{{else}}{{else}}{{end}}', /expected \{\{end\}\}/],
  ['{{}}', /missing value for command/],
  ['{{if}}x{{end}}', /missing value for command/],
  ['{{.Name | }}', /missing value for command/],
  ['{{(.Name}}', /unclosed left paren/],
  ['{{.Name)}}', /unexpected "\)"/],
  ['{{"open}}', /unexpected/],
  ['{{.Name ?}}', /unexpected "\?"/],
  ['{{nosuch .Name}}', /function "nosuch" not defined/],
  ['{{$x}}', /undefined variable "\$x"/],
  ['{{$x = 1}}', /undefined variable "\$x"/],
  ['{{.Nmae}}', /no field Nmae; there are .*Name/],
  ['{{.State.Stat}}', /no field Stat; there are ExitCode, Health, Status/],
  ['{{.Name.First}}', /can't evaluate field First in type string/],
  ['{{.Name 1}}', /can't give argument to non-function \.Name/],
  ['{{index .Config.Env 9}}', /index out of range: 9/],
  ['{{index .Size 1}}', /can't index item of type int/],
  ['{{range .Name}}x{{end}}', /can't iterate over \/web/],
  ['{{lt 1 "a"}}', /incompatible types for comparison/],
  ['{{eq .Mounts .Mounts}}', /non-comparable type/],
  ['{{truncate .Name "x"}}', /truncate wants a number/],
  ['{{template "x"}}', /not supported/],
];

for (const [source, message] of BAD) {
  test(`refused: ${source}`, () => {
    assert.throws(
      () => compileTemplate(source)(DOT as unknown as Value),
      (error: TsboxError) => error.code === 'USAGE' && message.test(error.message),
    );
  });
}

test('toString, constructor and __proto__ are no fields', () => {
  const render = (source: string) => compileTemplate(source)({ labels: {} });
  assert.is(
    render('{{.toString}} {{.labels.constructor}} {{index .labels "__proto__"}}'),
    '<no value> <no value> <no value>',
  );
  assert.throws(() => render('{{constructor}}'), /not defined/);
});

test('a null of JSON has the type of its field in docker', () => {
  const plain = {
    Config: { Volumes: null, Cmd: null, Env: ['A=1'], Labels: { x: 'y' } },
    HostConfig: { Binds: null, PidsLimit: null },
    NetworkSettings: { Ports: { '53/udp': null } },
  };
  const shown = (template: string): string => compileTemplate(template)(withTypedNils(plain));
  assert.is(shown('{{.Config.Volumes}} {{.Config.Cmd}} {{.Config.Env}}'), 'map[] [] [A=1]');
  assert.is(shown('{{.HostConfig.Binds}} {{.HostConfig.PidsLimit}}'), '[] <nil>');
  assert.is(shown('{{.NetworkSettings.Ports}}'), 'map[53/udp:[]]');
  assert.is(shown('{{json .Config}}'), JSON.stringify(plain.Config));
  assert.is(shown('{{range .HostConfig.Binds}}x{{else}}none{{end}}{{if .Config.Cmd}}x{{end}}'), 'none');
});

test('headings pass through functions', () => {
  const render = compileTemplate('{{upper .ID}}\t{{truncate .Names 2}}', HEADER_FUNCTIONS);
  assert.is(render({ ID: 'Container ID', Names: 'NAMES' }), 'Container ID\tNAMES');
});

test('a compiled template can be used again', () => {
  const render = compileTemplate('{{$x := .a}}{{$x}}');
  assert.equal([render({ a: 1 }), render({ a: 2 })], ['1', '2']);
});

test.run();
