export { ProjectsPage as Projects } from '@/features/projects/projects-page';
