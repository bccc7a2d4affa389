{% macro each(items) %}{% for item in items %}{{ caller(item) }}{% endfor %}{% endmacro %}
{% macro plain() %}[{{ caller() }}]{% endmacro %}
{% macro recursive(n) %}{{ n }}{% if n > 0 %},{{ recursive(n - 1) }}{% endif %}{% endmacro %}
{% macro returns_list() %}{% set x = [1] %}{% do x.append(2) %}{{ return(x) }}{% endmacro %}
{% macro returns_early(n) %}before{% if n > 3 %}{{ return(n * 2) }}{% endif %}after{% endmacro %}
{% macro with_kwargs(a) %}{{ a }} {{ kwargs }} {{ varargs }}{% endmacro %}
{% macro with_defaults(a, b='B', c=none) %}{{ a }}{{ b }}{{ c }}{{ c is none }}{% endmacro %}
