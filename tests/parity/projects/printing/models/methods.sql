select
    $${{ 'Hello'.upper() }}{{ 'Hello'.lower() }}{{ 'hello'.capitalize() }}$$, $${{ 'a-b-c'.replace('-', '_') }}$$, $${{ 'abc'.startswith('a') }}$$, $${{ 'a b c'.split() }}$$, $${{ 'a,b,c'.split(',', 1) }}$$,
    $${{ ', '.join(['a', 'b']) }}$$, $${{ '{} and {}'.format(1, 'x') }}$$, $${{ '{a}'.format(a=2) }}$$, $${{ '7'.zfill(3) }}$$, $${{ 'x'.rjust(3) }}|$$, $${{ 'x'.ljust(3) }}|$$, $${{ ' x '.strip() }}$$,
    $${{ 'abc'.find('c') }}$$, $${{ 'a.b'.partition('.') }}$$, $${{ 'abcabc'.count('a') }}$$, $${{ 'abc'.isdigit() }}$$, $${{ 'a_b'.title() }}$$, $${{ '%s is %d' % ('x', 3) }}$$, $${{ 'x'.endswith('x') }}$$
