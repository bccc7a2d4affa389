{% materialization own_table, default %}
  {{ return({'relations': []}) }}
{% endmaterialization %}
