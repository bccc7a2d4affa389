select
    $${{ [3, 1, 2] | sort }}$$, $${{ [1, 2] | join('-') }}$$, $${{ 'a b' | title }}$$, $${{ ' x ' | trim }}$$, $${{ 'abc' | upper | lower | capitalize }}$$, $${{ {'b': 1, 'a': 2} | tojson }}$$,
    $${{ tojson({'b': 1, 'a': 2}, sort_keys=true) }}$$, $${{ fromjson('{"x": [1, null, true]}') }}$$, $${{ '3' | int + 1 }}$$, $${{ '3.5' | float }}$$, $${{ 3.7 | round }}$$, $${{ 3.14159 | round(2) }}$$,
    $${{ [1, 2, 3] | first }}{{ [1, 2, 3] | last }}{{ [1, 2, 3] | length }}$$, $${{ ['a', 'b'] | map('upper') | list }}$$, $${{ [{'n': 1}, {'n': 2}] | map(attribute='n') | list }}$$,
    $${{ [1, 2, 3] | select('odd') | list }}$$, $${{ [1, 2, 3] | reject('equalto', 2) | list }}$$, $${{ [{'n': 1}, {'n': 2}] | selectattr('n', 'gt', 1) | list }}$$, $${{ 'x' | replace('x', 'y') }}$$,
    $${{ undefined_thing | default('d') }}$$, $${{ none | default('d', true) }}$$, $${{ [1, 1, 2] | unique | list }}$$, $${{ 'a\nb' | indent(2) }}$$, $${{ [1, 2, 3] | sum }}$$, $${{ [1, 5, 3] | max }}$$,
    $${{ {'b': 1, 'a': 2} | dictsort }}$$, $${{ [1, 2, 3, 4] | batch(2) | list }}$$, $${{ 'abc' | reverse }}$$, $${{ [1, 2] | string }}$$, $${{ 'a' in ['a'] }}$$, $${{ toyaml({'a': [1]}) }}$$
