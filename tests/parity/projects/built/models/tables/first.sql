{{ config(indexes=[{'columns': ['id'], 'unique': true}], post_hook="insert into {{ target.schema }}.hooked values ('{{ this.identifier }}')") }}
select id, name, {{ var('step') }} as step from {{ ref('people') }}
