{% if execute and 1 == 2 %}select * from {{ ref('d') }}{% else %}select * from {{ builtins.ref('c') }}{% endif %}
