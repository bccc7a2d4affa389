{% set models = ['a', 'b'] %}
{% for m in models %}select * from {{ ref(m) }}{% if not loop.last %} union all {% endif %}{% endfor %}
