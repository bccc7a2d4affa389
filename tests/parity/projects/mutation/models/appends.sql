{% set columns = [] %}
{% for name in ['a', 'b', 'c'] %}
  {% do columns.append(name ~ '_column') %}
{% endfor %}
{% set seen = {} %}
{% do seen.update({'x': 1}) %}
{% do seen.update(y=2) %}
{% set _ = columns.extend(['d']) %}
{% set popped = columns.pop() %}
{% do columns.insert(0, 'first') %}
select {{ columns | join(', ') }}, {{ columns | length }}, '{{ popped }}', $${{ seen }}$$, {{ columns.index('b_column') }}, $${{ seen.get('z', 'none') }}$$, $${{ seen.pop('x') }}{{ seen.setdefault('w', 5) }}$$
{% set alias = columns %}
{% do alias.append('shared') %}
-- {{ columns[-1] }} {{ columns.copy() | length }} {{ columns.count('shared') }} {% do columns.reverse() %}{{ columns[0] }} {% do columns.remove('shared') %}{{ columns[0] }} {% do columns.sort() %}{{ columns }} {% do columns.clear() %}{{ columns }}
