{%- set x = 'outer' -%}
select '{{ x }}', {{ 'defined' if y is defined else "'undefined'" }}
{%- if true %}{% set z = 'set inside if' %}{% endif %}, '{{ z }}'
{%- with w = 5 %}, {{ w }}{% endwith %}
