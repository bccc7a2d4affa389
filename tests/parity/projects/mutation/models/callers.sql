{% call(item) each(['a', 'b']) %}<{{ item }}>{% endcall %}
{% call plain() %}body{% endcall %}
{% set block %}
  captured {{ 1 + 1 }}
{% endset %}
select $${{ block | trim }}$$, $${{ recursive(3) }}$$, $${{ returns_list() }}$$, {{ returns_early(5) }}, $${{ with_kwargs(1, b=2) }}$$, $${{ with_defaults('x') }}$$
{% filter upper %}filtered{% endfilter %}
{% for a, b in [(1, 2), (3, 4)] %}{{ a + b }}{{ ' ' if not loop.last }}{% endfor %}
{% for key, value in {'k': 'v'}.items() %}{{ key }}={{ value }}{% endfor %}
{% for i in [] %}{% else %}nothing{% endfor %}
{% for i in range(5) if i is odd %}{{ loop.index }}/{{ loop.length }}:{{ i }} {% endfor %}
{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}
{% for i in ['x', 'y'] %}{{ loop.first }}{{ loop.revindex }}{{ loop.cycle('odd', 'even') }}{{ loop.previtem is defined }} {% endfor %}
