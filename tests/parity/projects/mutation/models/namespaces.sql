{% set ns = namespace(total=0, found=false, items=[]) %}
{% for i in range(1, 5) %}
  {% set ns.total = ns.total + i %}
  {% if i == 3 %}{% set ns.found = true %}{% endif %}
  {% do ns.items.append(i) %}
{% endfor %}
{% set outer = 1 %}{% for i in [1] %}{% set outer = 2 %}{% endfor %}
select {{ ns.total }}, {{ ns.found }}, $${{ ns.items }}$$, {{ outer }}
