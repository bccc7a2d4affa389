{% set r = source('detailed', 'b') %}
select '{{ r.database }}', '{{ r.schema }}', '{{ r.identifier }}', '{{ r.table }}', '{{ r.name }}', '{{ r.type }}'
from {{ r }}
