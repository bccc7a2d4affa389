{% set r = api.Relation.create(database='db', schema='sch', identifier='tab', type='view') %}
select '{{ r }}', '{{ r.render() }}', '{{ r.is_view }}', '{{ r.include(schema=false) }}', '{{ r.quote(identifier=false) }}', '{{ adapter.quote("x") }}', '{{ target.type }}', '{{ target.name }}',
    '{{ target.schema }}', '{{ target.database }}', '{{ target.threads }}', '{{ target.profile_name }}', '{{ r.incorporate(path={"identifier": "other"}) }}', '{{ r.replace_path(schema="s2") }}', '{{ adapter.type() }}'
