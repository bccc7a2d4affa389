{% macro default__greet(name) %}'our hello to {{ name }}'{% endmacro %}
{% macro whoami() %}root{% endmacro %}
